"""Integers where the processor multiplies bytes fast, floats elsewhere."""

from pathlib import Path

import pytest

from shared.embedding.processor import best_precision, chosen


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 fma", "fp32"),
        ("fpu avx2 avx512f avx512_vnni", "int8"),
        ("avx2 avx_vnni", "int8"),
        ("avx2 not_avx_vnni", "fp32"),
    ],
)
def test_the_flags_of_the_processor_decide(tmp_path: Path, flags: str, expected: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: avx_vnni\n\nprocessor\t: 1\nflags\t\t: {flags}\n"
    )

    assert best_precision(cpuinfo) == expected


def test_a_system_that_does_not_tell_has_floats(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert best_precision(tmp_path / "missing") == "fp32"
    assert best_precision(tmp_path / "empty") == "fp32"


def test_a_setting_wins() -> None:
    assert chosen("int8") == "int8"
    assert chosen("fp32") == "fp32"
    assert chosen("auto") in ("fp32", "int8")
