"""Report lines of made-up inputs."""

from __future__ import annotations


def clip(id: str, verdict: str, *reasons: str, end: float = 2.0) -> dict:
    measured = {"face": 200.0, "sync_r": 0.4}
    return {"id": id, "start": 0.0, "end": end, "verdict": verdict, "reasons": list(reasons), "measured": measured}


LINES = [
    {
        "source": "a.mp4",
        "path": "/in/a.mp4",
        "verdict": "kept",
        "reasons": [],
        "content": "aa",
        "clips": [clip("01", "kept"), clip("02", "rejected", "the face is 40 pixels high, less than 100")],
    },
    {
        "source": "b é.mp4",
        "path": "/in/b é.mp4",
        "verdict": "undecided",
        "reasons": ["speech is heard in only 0% of the time"],
        "content": "bb",
        "clips": [clip("03", "undecided", "speech is heard in only 0% of the time", end=1.5)],
    },
    {
        "source": "c.mp4",
        "path": "/in/c.mp4",
        "verdict": "rejected",
        "reasons": ["the face is 66 pixels high, less than 100"],
        "content": "cc",
        "clips": [clip("04", "rejected", "the face is 66 pixels high, less than 100")],
    },
    {
        "source": "d.mp4",
        "path": "/in/d.mp4",
        "verdict": "unreadable",
        "reasons": ["/in/d.mp4 is empty (0 bytes)"],
        "content": "dd",
        "clips": [],
    },
]
TWIN = {**LINES[0], "source": "twin.mp4", "duplicate_of": "/in/a.mp4"}
