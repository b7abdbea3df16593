"""Small conversations of a shop, an airline and coders, and an embedding of words: no model is needed."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.categorizer.naming.lexicon import roots
from shared.features import Features

Array = np.ndarray[Any, np.dtype[np.float32]]
Places = np.ndarray[Any, np.dtype[Any]]
WIDTH = 256

CANCEL = [
    "I need to cancel my flight to Boston.",
    "Please cancel a flight that I booked yesterday.",
    "Hi, can you cancel the flight for me? My reservation is X7KQ2P.",
    "We want to cancel our flights because of illness.",
    "How do I cancel a flight?",
    "cancel my upcoming flight please",
]
RETURN = [
    "I'd like to return a camera from order W5061109.",
    "Can I return the shoes? My email is mia.garcia@example.com.",
    "Please help me return an item from my order.",
    "How can I return items that are too small?",
    "I want to return an item, user_id mia_garcia_4516.",
    "return an item of my last order",
]
WRITE = [
    "Write a Python function that sums a list.",
    "write a python function to reverse a string",
    "Please write a Python function for sorting.\n```python\ndef f(x): return x\n```",
    "Can you write a python function to find primes?",
    "I need you to write a Python function which counts words.",
    "Write a Python function that merges two lists.",
]


def vector(text: str) -> Array:
    """Sum of one fixed random direction a lemma, unit: texts with the same words are near each other."""
    total = np.zeros(WIDTH, dtype=np.float32)
    for word in "".join(sign if sign.isalnum() else " " for sign in text.lower()).split():
        lemma = min(roots(word[:40])).encode("utf-8", "replace")
        seed = int.from_bytes(hashlib.blake2b(lemma, digest_size=8).digest(), "big")
        total += np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
    unit: Array = total / max(float(np.linalg.norm(total)), 1e-9)
    return unit


def embed(texts: Sequence[str]) -> Array:
    return np.array([vector(text) for text in texts], dtype=np.float32).reshape(-1, WIDTH)


def items(*groups: Sequence[str], language: str | None = None) -> tuple[list[Features], Places, Array]:
    """Features, leaf of each, and vectors of these groups of requests."""
    requests = [request for group in groups for request in group]
    leaf = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return [Features(request=request, language=language) for request in requests], leaf, embed(requests)
