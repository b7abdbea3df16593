"""A progress bar a stage, on standard error, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Advance = Callable[[float], None]


class Progress:
    """Bars with rate and time left; nothing at all where standard error is not a terminal."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description:<12}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
            disable=not self.shown,
        )

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, name: str, total: float) -> Iterator[Advance]:
        """A bar that `advance` moves, gone when the block ends."""
        task = self._bars.add_task(name, total=total, rate="")
        try:
            yield lambda amount: self._bars.advance(task, amount)
        finally:
            self._bars.remove_task(task)

    def show(self, name: str, completed: float, total: float | None, note: str = "") -> None:
        """The bar of this name, made when it is first shown, at `completed` of `total`; `note` stands for its rate."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, rate="")
        task = self._tasks[name]
        speed = next((known.speed for known in self._bars.tasks if known.id == task), None)
        self._bars.update(task, completed=completed, total=total, rate=note or (f"{speed:,.0f}/s" if speed else ""))
