"""What is kept in the cache is whole, or not there."""

from pathlib import Path

import pytest

from shared.cache import kept


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "thing" / "table"
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "table").write_text("whole")

    assert kept(file, make) == kept(file, make) == file
    assert len(made) == 1
    assert file.read_text() == "whole"


def test_nothing_is_left_of_what_could_not_be_finished(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "part").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        kept(tmp_path / "thing" / "table", make)
    assert not list(tmp_path.iterdir())


def test_what_another_process_has_made_meanwhile_is_used(tmp_path: Path) -> None:
    file = tmp_path / "thing" / "table"

    def make(folder: Path) -> None:
        file.parent.mkdir()
        file.write_text("theirs")
        (folder / "table").write_text("ours")

    assert kept(file, make).read_text() == "theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["thing"]
