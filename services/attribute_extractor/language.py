"""Words that turn a statement round, and sentences that state nothing: vectors hardly see either."""

import re

_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|without|cannot|hardly|isnt|dont|doesnt|didnt|cant|wont|wasnt|"
    r"havent|hasnt)\b|n['’]t\b",
    re.IGNORECASE,
)
_ABSENCE = re.compile(
    r"\b(?:lost|lacks?|lacking|missing|forgot|forgotten|refus\w{1,6}|fail(?:ed|s)? to|far from|anything but|"
    r"instead of|rather than|threw|thrown)\b",
    re.IGNORECASE,
)
_MAIN_VERB = 6  # words from the start of a clause: a "not" after them mostly belongs to something less important
_ASSENT = re.compile(r"^\s*(?:no|nope|nah)\s*[,.!]\s*", re.IGNORECASE)
_REQUEST = re.compile(r"\b(?:can|could|may|might|would|will)\s+(?:i|we|you)\b", re.IGNORECASE)
_IF = re.compile(r"\b(?:if|whether|unless|in case|as soon as i|would have|imagine|suppose)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,40}")
_ENDINGS = ("ization", "isation", "ations", "ation", "ments", "ment", "ings", "ing", "ions", "ion", "edly", "ed", "ies")
_MORE_ENDINGS = ("es", "s", "ly", "e", "y")
_EMPTY = frozenset(
    """
    user users customer customers client clients caller person agent assistant bot model chatbot conversation trace chat
    message session request mentions mentioned stated says said named given the this that these those is are was were be
    been being am has have had do does did can could will would should must may might of in on at to for from by with
    about into an and or not no if whether when true false yes any some it its their they them he she his her there than
    as up out over under again all per total number amount count value how many much what which who
    """.split()  # noqa: SIM905  a paragraph of words reads better than a list
)


def negated(text: str, about: frozenset[str] = frozenset()) -> bool:
    """Whether a word turns the statement round; "No, …" answers and turns nothing.

    `about` are the stems of what the statement is about: "lost" turns nothing where the loss is the matter.
    """
    if _NEGATION.search(_ASSENT.sub("", text)):
        return True
    return any(not about & stems(found) for found in _ABSENCE.findall(text))


def main_clause(text: str) -> str:
    """The words among which the main verb of a short clause stands."""
    return " ".join(text.split()[:_MAIN_VERB])


def states(text: str) -> bool:
    """Whether this says how things are: a question and a supposition do not, a polite request does."""
    return _IF.search(text) is None and (not text.rstrip().endswith("?") or _REQUEST.search(text) is not None)


def stems(text: str) -> frozenset[str]:
    """The words that carry the meaning of a text, without their endings."""
    return frozenset(_stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in _EMPTY)


def core(text: str) -> str:
    """A text without the words that carry no meaning of their own, as it stands."""
    return " ".join(word for word in text.split() if word.lower() not in _EMPTY)


def _stem(word: str) -> str:
    """Cut, not lemmatised: it only has to be the same for "refunded", "refunds" and "refund"."""
    for endings in (_ENDINGS, _MORE_ENDINGS):
        for ending in endings:
            if word.endswith(ending) and len(word) - len(ending) >= 4:
                word = word.removesuffix(ending)
                break
    return word
