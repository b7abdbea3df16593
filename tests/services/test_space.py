"""Where items lie is known without the encoder: its memory is there when something is to be encoded, not before."""

import numpy as np
import pytest

from services.categorizer import space
from shared.embedding import DIMENSIONS
from shared.embedding.encoder import Encoder, encoder_name
from shared.errors import UnavailableError
from shared.features import Features
from shared.trust import BY_WORDS


def packed(encoder: str) -> list[bytes]:
    rows = np.eye(3, DIMENSIONS, dtype=np.float32)
    return [
        Features(request=f"request {at}", encoder=encoder, request_vector=row).pack() for at, row in enumerate(rows)
    ]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often an encoder was asked for; there is none."""
    asked: list[str] = []

    def load_encoder(precision: str, folder: object) -> Encoder | None:
        asked.append(precision)
        return None

    monkeypatch.setattr(space, "load_encoder", load_encoder)
    return asked


def test_the_encoder_is_loaded_when_it_is_first_asked(loads: list[str]) -> None:
    found = space.space_of(packed(encoder_name()))

    assert found.of_meaning
    assert found.requests.shape == (3, DIMENSIONS)
    assert not loads
    with pytest.raises(UnavailableError, match="install"):
        found.embed(["a phrase"])
    assert len(loads) == 1


def test_vectors_of_an_encoder_that_is_not_here_are_not_used(loads: list[str]) -> None:
    found = space.space_of(packed("minilm-other"))

    assert found.name == BY_WORDS
    assert len(found.embed(["request 1"])) == 1
    assert not loads
