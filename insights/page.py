"""Lines on a console: wrapped at its width, in columns, with nothing in them that can drive a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from insights.printable import is_unicode, printable

BAR = 10
COLUMNS = (5, 7, 6, 7, 9)  # share, items, errors, latency, cost
NARROW = 72  # columns: below it there is no room for a bar
GLUE = "\ue000"  # of the private use area: a space that is no place to break, since Rich breaks at every real one
LEAST = 10  # columns for a name: with fewer, the figures stand below it


class Page:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._unicode = is_unicode(console.encoding)

    @property
    def unknown(self) -> str:
        return "–" if self._unicode else "-"

    def heading(self, text: str) -> None:
        self._console.print()
        self.line(text, style="bold")

    def list(self, heading: str, lines: Sequence[tuple[int, str]]) -> None:
        """Each line with its indent; nothing where there are none."""
        if lines:
            self.heading(heading)
        for indent, line in lines:
            self.line(line, first=" " * indent + "- ")

    def line(self, text: str, *, indent: int = 0, first: str | None = None, style: str = "") -> None:
        """Wrapped at the console's width, all of it after `indent` columns, or under what comes after `first`."""
        start = " " * indent if first is None else first
        width = max(10, self._console.width - len(start))
        for line in self._wrapped(text, style, width):
            self._console.print(Text(start) + line, soft_wrap=True)
            start = " " * len(start)

    def text(self, text: str, *, indent: int = 2) -> None:
        """Of several lines, each wrapped under its own beginning."""
        for line in text.splitlines():
            self.line(line, indent=min(indent + len(line) - len(line.lstrip(" ")), self._console.width // 2))

    def row(self, name: str, share: float | None, cells: Sequence[str], indent: int = 0, style: str = "bold") -> None:
        """One line of the table, of the same columns in every line; a long name goes on below itself."""
        figures = " ".join(cell.rjust(width) for cell, width in zip(cells, COLUMNS, strict=True))
        if self._console.width >= NARROW:
            figures = f"{self._bar(share).ljust(BAR)} {figures}"
        room = self._console.width - len(figures) - indent - 1
        if room < LEAST:
            self.line(name, indent=indent, style=style)
            self.line(figures.strip(), indent=indent + 2, style="dim")
            return
        for number, line in enumerate(self._wrapped(name, style, room)):
            if not number:
                line.pad_right(room - line.cell_len)
                line.append(f" {figures}", style if style == "dim" else "not bold")
            self._console.print(Text(" " * indent) + line, soft_wrap=True)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> None:
        """Columns as wide as they need; the first `texts` are text, the others figures."""
        table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
        for place, header in enumerate(headers):
            table.add_column(header, justify="left" if place < texts else "right", overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell, self._console.encoding)) for cell in row))
        self._console.print(table)

    def _wrapped(self, text: str, style: str, width: int) -> Iterator[Text]:
        """A percent sign stays beside its number."""
        safe = printable(text, self._console.encoding).replace(" %", f"{GLUE}%")
        for line in Text(safe, overflow="fold").wrap(self._console, width):
            yield Text(line.plain.rstrip().replace(GLUE, " "), style)

    def _bar(self, share: float | None) -> str:
        return "" if not share else ("█" if self._unicode else "#") * max(1, round(share * BAR))
