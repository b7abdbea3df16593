"""A worker that speaks as `shared.embedding.serve` does and obeys its texts. Its folder tells what it was sent.

`die` and `die once` end it, `wait` blocks it on the pipe in its folder; with a file `broken` it cannot start.
"""

import json
import os
import sys
from pathlib import Path

import msgpack
import numpy as np

from shared.embedding import DIMENSIONS
from shared.embedding.serve import HEAD

DIED_WITH = 3


def main() -> None:
    folder = Path(sys.argv[2])
    with (folder / "processes").open("a") as processes:
        processes.write(f"{os.getpid()}\n")
    if (folder / "broken").exists():
        print(json.dumps({"error": (folder / "broken").read_text()}), flush=True)
        return
    print(json.dumps({"name": "fake"}), flush=True)
    while head := sys.stdin.buffer.read(HEAD):
        texts = msgpack.unpackb(sys.stdin.buffer.read(int.from_bytes(head, "big")))
        with (folder / "batches").open("a") as batches:
            batches.write(json.dumps(texts) + "\n")
        obey(texts, folder)
        lengths = np.array([len(text) for text in texts], "<f4")
        sys.stdout.buffer.write(np.repeat(lengths, DIMENSIONS).tobytes())
        sys.stdout.buffer.flush()


def obey(texts: list[str], folder: Path) -> None:
    first = not (folder / "died").exists()
    if "die" in texts or ("die once" in texts and first):
        (folder / "died").touch()
        os._exit(DIED_WITH)
    if "wait" in texts:
        (folder / "pipe").read_text()


if __name__ == "__main__":
    main()
