"""`insights cache`: the answers of models that are kept, so that nothing is paid twice."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from insights.folder import data_folder, locked
from shared.config import Settings
from shared.models import Stage

cache_commands = typer.Typer(no_args_is_help=True, help="Answers of models, which are kept so that none is paid twice.")
Data = Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")]
UNITS = ("bytes", "kB", "MB", "GB")


@cache_commands.command("stats")
def stats(data: Data = None) -> None:
    """How many answers are kept in the store, and their size."""
    settings = Settings.load(data=data)
    found = asyncio.run(_counted(settings, data_folder(settings.data)))
    for stage, (count, size) in sorted(found.items()):
        print(f"{stage:<12}{count:>10,}{_size(size):>12}")
    count, size = (sum(column) for column in zip((0, 0), *found.values(), strict=True))
    print(f"{'together':<12}{count:>10,}{_size(size):>12}" if found else "No answers of models are kept.")


@cache_commands.command("clear")
def clear(data: Data = None) -> None:
    """Forget all that the store keeps: whatever is asked from now on is paid again."""
    settings = Settings.load(data=data)
    folder = data_folder(settings.data)
    with locked(folder, "cache clear") if settings.store is None else nullcontext():
        print(f"{asyncio.run(_cleared(settings, folder)):,} answers of models are forgotten.")


async def _counted(settings: Settings, folder: Path) -> dict[Stage, tuple[int, int]]:
    from insights.process import opened_store

    async with opened_store(settings, folder) as store:
        return await store.count_answers()


async def _cleared(settings: Settings, folder: Path) -> int:
    from insights.process import opened_store

    async with opened_store(settings, folder) as store:
        return await store.clear_answers()


def _size(size: float) -> str:
    """`12 bytes`, `3.4 kB`, `210 MB`."""
    power = 0
    while size >= 999.5 and power < len(UNITS) - 1:
        size, power = size / 1_000, power + 1
    return f"{size:.0f} {UNITS[power]}" if size >= 99.95 or power == 0 else f"{size:.1f} {UNITS[power]}"
