"""Vectors of texts: all-MiniLM-L6-v2 on onnxruntime, in a worker process of its own, with no network and no key.

`Encoder` turns texts into vectors in this process, `Embedder` does so for a service, in another process. Both are
optional: without the package of weights there are none, and the categories are made from words alone.
"""

from typing import Literal

Exact = Literal["fp32", "int8"]
Precision = Literal["auto", "fp32", "int8", "none"]
DIMENSIONS = 384
MAX_TOKENS = 128  # of a text; what comes after is not looked at
MAX_CHARACTERS = 8_000  # of a text: even long words are 128 tokens by then
