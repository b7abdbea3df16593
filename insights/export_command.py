"""The command `insights export`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from insights.folder import data_folder
from insights.output import check_writable
from shared.config import Settings
from shared.errors import UsageError


def export(
    project: Annotated[str | None, typer.Option(help="The runs of this project (name or id)")] = None,
    job: Annotated[str | None, typer.Option(help="The traces of this job's report, with what it knows of each")] = None,
    format_: Annotated[Literal["jsonl", "csv"], typer.Option("--format")] = "jsonl",
    output: Annotated[Path | None, typer.Option(help="Write to this file; printed if not given")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")] = None,
) -> None:
    """The runs of a project, or the traces of a report, as JSON lines or CSV."""
    if (project is None) == (job is None):
        raise UsageError("Name what to export: --project NAME for its runs, or --job ID for the traces of its report.")
    if output is not None:
        check_writable(output)
    from insights.exporting import export as work

    settings = Settings.load(data=data)
    count = asyncio.run(work(project, job, format_, output, settings, data_folder(settings.data)))
    print(f"{count:,} rows{f' are in {output}' if output else ''}.", file=sys.stderr)
