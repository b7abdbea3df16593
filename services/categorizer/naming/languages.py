"""Names of languages, for groups of requests that are not English: their grammar is not known here."""

from collections import Counter
from collections.abc import Sequence

_ISO_639_1 = """af=Afrikaans am=Amharic ar=Arabic az=Azerbaijani be=Belarusian bg=Bulgarian bn=Bengali bs=Bosnian
    ca=Catalan cs=Czech cy=Welsh da=Danish de=German el=Greek eo=Esperanto es=Spanish et=Estonian eu=Basque fa=Persian
    fi=Finnish fr=French ga=Irish gl=Galician gu=Gujarati he=Hebrew hi=Hindi hr=Croatian hu=Hungarian hy=Armenian
    id=Indonesian is=Icelandic it=Italian ja=Japanese jv=Javanese ka=Georgian kk=Kazakh km=Khmer kn=Kannada ko=Korean
    la=Latin lo=Lao lt=Lithuanian lv=Latvian mk=Macedonian ml=Malayalam mn=Mongolian mr=Marathi ms=Malay mt=Maltese
    my=Burmese nb=Norwegian ne=Nepali nl=Dutch nn=Norwegian no=Norwegian pa=Punjabi pl=Polish ps=Pashto pt=Portuguese
    ro=Romanian ru=Russian si=Sinhala sk=Slovak sl=Slovenian sq=Albanian sr=Serbian sv=Swedish sw=Swahili ta=Tamil
    te=Telugu th=Thai tl=Tagalog tr=Turkish uk=Ukrainian ur=Urdu vi=Vietnamese xh=Xhosa zh=Chinese zu=Zulu"""
_NAMES = dict(pair.split("=") for pair in _ISO_639_1.split())
MIXED = "Requests in other languages"
_MOST = 0.6  # of the foreign requests, to be named after one language


def is_english(language: str | None) -> bool:
    """Texts too short to tell count as English."""
    return language in (None, "en")


def foreign_name(languages: Sequence[str | None]) -> str | None:
    """ "Requests in Russian" where over half are not English; None otherwise."""
    foreign = Counter(code for code in languages if not is_english(code))
    if not foreign or 2 * foreign.total() <= len(languages):
        return None
    code, times = min(foreign.items(), key=lambda item: (-item[1], str(item[0])))
    name = _NAMES.get(str(code))
    return f"Requests in {name}" if name and times >= _MOST * foreign.total() else MIXED
