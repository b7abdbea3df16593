"""Every bench, and one table of what they found.

    python -m benchmarks [--full] [name ...]

Each module of BENCHES has `figures(full) -> Iterator[Figure]`. The short form of all is meant to take a quarter of an
hour on two cores that do nothing else; `--full` measures what the bars were set for. Data of ../shared that is not
there is left out, and said.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Iterator

from benchmarks.figure import Figure, show
from benchmarks.sets import Missing

BENCHES = (
    "embedding",
    "labelled",
    "given",
    "traces",
    "names",
    "attributes",
    "values",
    "costs",
    "speed",
    "spine",
    "ingest",
    "soak",
    "reads",
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHES))
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    return show(list(_found(options.names or BENCHES, options.full)))


def _found(names: tuple[str, ...] | list[str], full: bool) -> Iterator[tuple[str, Figure]]:
    for name in names:
        begun = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            for figure in importlib.import_module(f"benchmarks.{name}").figures(full):
                print(f"  {figure.what}: {figure.ours:.4g}", file=sys.stderr, flush=True)
                yield name, figure
        except Missing as missing:
            print(f"  left out: {missing}", file=sys.stderr, flush=True)
        print(f"  {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
