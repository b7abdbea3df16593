"""The log file beside the data."""

import subprocess
import sys
from pathlib import Path

from tests.insights.command import clean_environment

PROGRAM = r"""
import logging, sys
from pathlib import Path
from insights.cli import _log_to_file

_log_to_file(Path(sys.argv[1]))
logging.getLogger("a").error("whole \u00e9, half \ud83d")
"""


def test_a_line_with_any_text_goes_to_the_file_and_nothing_to_the_terminal(tmp_path: Path) -> None:
    """Given a terminal that is not UTF-8; logging would print a stack trace between the lines of the report."""
    environment = {**clean_environment(), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "whole \u00e9, half \\ud83d" in (tmp_path / "insights.log").read_text(encoding="utf-8")
