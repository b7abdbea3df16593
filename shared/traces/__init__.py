"""Reading files of traces: what a line may be, and what becomes of it.

    LangSmith runs      a root run a line with `child_runs`, or flat runs tied by trace_id, parent_run_id, dotted_order
    ingest records      `operation: post | patch`, or batches {"post": [...], "patch": [...]}
    chat histories      a list of messages, or {"messages": [...], ...}; OpenAI, LangChain and Anthropic forms
    any JSON object     with `text`, the field that holds the text

Also one JSON array (or {"runs": [...]}) of these. gzip and zstd are found by their first bytes. `Reading` streams.
"""

from pathlib import Path
from typing import BinaryIO

from shared.traces.lines import Line, open_lines
from shared.traces.reading import Reading
from shared.traces.record import NotARecordError, RawRun, run_records

__all__ = ["Line", "NotARecordError", "RawRun", "Reading", "open_lines", "read", "run_records"]


def read(path: Path | BinaryIO, *, text: str | None = None, id_field: str | None = None) -> Reading:
    """The records of a file, read as they are asked for. Iterating raises UsageError where it is no file of traces."""
    return Reading(path, text=text, id_field=id_field)
