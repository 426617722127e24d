import csv
from pathlib import Path

import pytest

from hallo_lit.data.manifest import COLUMNS, Manifest, ManifestRow, hdtf_identity, identity_of


@pytest.mark.parametrize(
    ("source", "identity"),
    [
        ("RD_Radio10_000.mp4", "RD_Radio10"),
        ("RD_Radio11_1.mp4", "RD_Radio11"),
        ("some/where/WDA_AmyKlobuchar1_002.mp4", "WDA_AmyKlobuchar"),
        ("WRA_KevinBrady.mp4", "WRA_KevinBrady"),
        ("WDA_LucilleRoybal-Allard_000.mp4", "WDA_LucilleRoybal-Allard"),
        ("WDA_WhipJimClyburn_000.mp4", "WDA_JamesClyburn"),
        ("a/talk.mp4", "a/talk.mp4"),
        ("b/talk.mp4", "b/talk.mp4"),
        ("RDX_name.mp4", "RDX_name.mp4"),
    ],
)
def test_identity_by_name(source, identity):
    assert identity_of(source) == identity


def test_speeches_are_told_apart_by_number_and_persons_are_not():
    assert hdtf_identity("RD", "Radio1") != hdtf_identity("RD", "Radio2")
    assert hdtf_identity("WRA", "JebHensarling1") == hdtf_identity("WRA", "JebHensarling2") == "WRA_JebHensarling"
    assert hdtf_identity("WDA", "123") == "WDA_123"


def test_what_is_written_is_a_plain_table(tmp_path):
    rows = (
        ManifestRow(Path('dir, with "quotes"/ü.mp4'), 1.5, 61, (0, 0.25, 0.5, 1), "anna", "train"),
        ManifestRow(Path("x\udcff.mp4")),
    )
    path = tmp_path / "new" / "list.csv"
    Manifest(rows).save(path)
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS
    given = [str(row.path.absolute()) for row in rows]
    assert Path(read[0]["path"]).is_absolute()
    assert list(read[0].values()) == [given[0], "1.5", "61", "0", "0.25", "0.5", "1", "anna", "train"]
    assert list(read[1].values()) == [given[1], "0", "", "", "", "", "", "", ""]
