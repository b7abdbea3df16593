"""Where the items of a sample lie: by everything that is known of them, and by what was asked alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from services.categorizer import blocks
from services.categorizer.sample import Packed
from services.categorizer.texts import TextSpace
from shared.config import Settings
from shared.embedding import DIMENSIONS
from shared.embedding.encoder import Encoder, encoder_name, load_encoder
from shared.errors import UnavailableError
from shared.features import Array, Features
from shared.trust import BY_WORDS


@dataclass(frozen=True, slots=True)
class Space:
    """Unit rows of n items: `whole` (n, d), and `requests` (n, r) in the space that `embed` puts any text in.

    `name` is of the encoder, such as "minilm-fp32", or BY_WORDS. `of_meaning`: whether `embed` knows more than words.
    """

    items: Sequence[Features]
    whole: Array
    requests: Array
    embed: Callable[[Sequence[str]], Array]
    name: str
    of_meaning: bool = True


def space_of(features: list[bytes], endpoint_model: str | None = None) -> Space:
    """By the encoder's vectors if all items have those of one encoder that is here, too; else by words.

    Vectors of an endpoint's model say where items lie; other texts are then compared with them by words.
    """
    items = Packed(features)
    settings = Settings.load()
    name = encoder_name(settings.embedding)
    names = {one.encoder for one in items}
    if name and names == {name}:
        requests = blocks.stacked([one.request_vector for one in items], DIMENSIONS)
        return Space(items, blocks.vectors(items), requests, _when_asked(settings), name)
    words = TextSpace([one.request for one in items])
    by_endpoint = endpoint_model is not None and names == {endpoint_model}
    whole = blocks.vectors(items, None if by_endpoint else words.vectors)
    return Space(items, whole, words.vectors, words.embed, max(names) if by_endpoint else BY_WORDS, of_meaning=False)


def _when_asked(settings: Settings) -> Callable[[Sequence[str]], Array]:
    """The encoder, loaded when there is something to encode: clustering goes without its memory."""

    @cache
    def encoder() -> Encoder:
        found = load_encoder(settings.embedding, settings.cache)
        if found is None:
            raise UnavailableError("The package of weights is gone: install it again (see README.md).")
        return found

    return lambda texts: encoder().encode(texts)
