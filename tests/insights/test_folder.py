"""The data folder belongs to one process at a time, which says who it is."""

import json
import os
from pathlib import Path

import pytest

from insights.folder import HeldError, data_folder, locked
from shared.errors import UsageError


def test_a_held_folder_names_its_holder_and_the_way_out(tmp_path: Path) -> None:
    with (
        locked(tmp_path, "up", url="http://127.0.0.1:1"),
        pytest.raises(HeldError, match="--data DIR") as held,
        locked(tmp_path, "analyze"),
    ):
        pass
    assert f"`insights up` (process {os.getpid()})" in str(held.value)
    assert held.value.holder == {"pid": os.getpid(), "command": "up", "url": "http://127.0.0.1:1"}


def test_a_folder_is_free_again_after_its_holder_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, "analyze"):
        raise KeyError
    with locked(tmp_path, "analyze"):
        assert json.loads((tmp_path / "holder.json").read_text())["command"] == "analyze"
    assert not (tmp_path / "holder.json").exists()


@pytest.mark.parametrize("left", ["", "{", "[]", '"x"', "\udcff"])
def test_what_a_killed_holder_left_half_written_still_gives_a_sentence(tmp_path: Path, left: str) -> None:
    with locked(tmp_path, "up"):
        (tmp_path / "holder.json").write_text(left, errors="surrogateescape")
        with pytest.raises(HeldError, match=r"process unknown.*--data DIR"), locked(tmp_path, "analyze"):
            pass


def test_a_missing_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    assert data_folder(tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be made.*--data DIR"):
        data_folder(tmp_path / "file" / "below")
    with pytest.raises(UsageError, match=r"cannot be made.*--data DIR"):
        data_folder(tmp_path / "file")
