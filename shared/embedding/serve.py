"""The worker process of `worker.py`: texts on standard input, vectors on standard output, until the input ends.

out, once   a line of JSON: {"name": "minilm-fp32"}, or {"error": "a sentence"} and the end
in          4 bytes, big-endian: the length of what follows; a msgpack list of n texts
out         n * 384 float32, little-endian
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO, get_args

import msgpack

from shared.embedding import Precision
from shared.embedding.encoder import Encoder, load_encoder
from shared.errors import InsightsError

HEAD = 4  # bytes of a length


def main() -> None:
    """`python -m shared.embedding.serve PRECISION FOLDER`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then kills us
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the vectors
    encoder, word = _load(*sys.argv[1:3])
    output.write(json.dumps(word).encode() + b"\n")
    output.flush()
    if encoder is not None:
        _answer(encoder, sys.stdin.buffer, output)


def frame(texts: list[str]) -> bytes:
    """Texts as the worker reads them."""
    packed: bytes = msgpack.packb(texts, unicode_errors="surrogatepass")
    return len(packed).to_bytes(HEAD, "big") + packed


def _load(precision: str, folder: str) -> tuple[Encoder | None, dict[str, str]]:
    (chosen,) = (one for one in get_args(Precision) if one == precision)
    try:
        encoder = load_encoder(chosen, Path(folder) if folder else None)
    except (InsightsError, ImportError, OSError) as error:
        return None, {"error": str(error)}
    return encoder, {"name": encoder.name} if encoder else {"error": "The package of weights is gone: restart this."}


def _answer(encoder: Encoder, texts: BinaryIO, vectors: BinaryIO) -> None:
    while head := texts.read(HEAD):
        packed = texts.read(int.from_bytes(head, "big"))
        asked = msgpack.unpackb(packed, unicode_errors="surrogatepass")
        vectors.write(encoder.encode(asked).astype("<f4", copy=False).tobytes())
        vectors.flush()


if __name__ == "__main__":
    main()
