"""Where a file can't be written is told before the work."""

from pathlib import Path

import pytest

from insights.output import check_writable
from shared.errors import UsageError


@pytest.mark.parametrize("name", ["", "absent/report.json"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"is a folder: name a file|cannot be written: name a file"):
        check_writable(tmp_path / name)


def test_a_file_that_can_be_written_and_standard_output_are_let_through(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json")
    check_writable(Path("-"))
    assert list(tmp_path.iterdir()) == []
