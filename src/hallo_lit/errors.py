"""The one exception whose text is meant for the person at the keyboard."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: one sentence that names the file or setting, what is wrong, and what to do.

    Command line tools print it without a stack trace and exit with status 2.
    """
