"""What the tests of vectors share: the graphs are made once a checkout, as a user's are."""

from pathlib import Path

import pytest

from shared.embedding import Exact, weights
from shared.embedding.encoder import Encoder, load_encoder

CACHE = Path(__file__).parents[3] / ".cache" / "insights"
TEXTS = (
    "",
    "hi",
    "thank you",
    "Where is my parcel? It should have been here on Monday.",
    "Where is my parcel? It should have been here on Friday.",
    "def mean(values): return sum(values) / len(values)",
    '{"flight": "LH 1234", "seats": [{"row": 12, "letter": "C"}], "paid": true}',
    "Ich möchte meinen Flug umbuchen. ¿Dónde está mi pedido? 請幫我取消 🙂",
    "I was charged twice for the same order and would like my money back, please. " * 3,
    "The agent searched for flights, found none, and told the customer to call the hotline. " * 12,
)


def loaded(precision: Exact, threads: int = 1) -> Encoder:
    encoder = load_encoder(precision, CACHE, threads=threads)
    assert encoder is not None, f"the weights are not installed: {weights.PACKAGE}"
    return encoder


@pytest.fixture(scope="session", params=["fp32", "int8"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return loaded(request.param)
