"""From a filter's text to its tree: recursive descent, one token ahead, and errors that show the place."""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.errors import FilterError
from shared.filters.entries import FAMILY_OF, Condition, Entry, joined
from shared.filters.fields import FIELDS
from shared.filters.nodes import And, Compare, HasKey, HasPairs, HasTag, In, Like, Node, Not, Or, Search
from shared.filters.values import MAX_DEPTH, ORDER, Kind, Scalar, UnfitError, fit, quoted, read_number, read_pairs

MAX_LENGTH = 20_000

T = TypeVar("T")

_COMPARATORS = ("and", "or", "not", *ORDER, "neq", "in", "has", "like", "search", "exists")
_TEXTS = tuple(name for name, field in FIELDS.items() if field.kind == "text")
_SEARCHABLE = (*_TEXTS, "tags", "metadata", "inputs", "outputs")

_TOKEN = re.compile(
    r"""(?P<name>[^\W\d]\w*) | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+') | (?P<mark>[(),\[\]])""",
    re.VERBOSE | re.DOTALL,
)


def parse_node(text: str) -> Node:
    """Raises FilterError, which shows the place and what was perhaps meant."""
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"The filter has {len(text):,} characters; make it at most {MAX_LENGTH:,} long.", position=MAX_LENGTH
        )
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    """Recursive descent, one token ahead; depth is bounded, so that Python's own stack is never the limit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scanned()
        self._next = 0

    def parse(self) -> Node:
        root = self._expression(1)
        self._take("end", "nothing more")
        return root

    def _scanned(self) -> list[_Token]:
        tokens, position = [], 0
        while (position := _end_of_space(self._text, position)) < len(self._text):
            if not (match := _TOKEN.match(self._text, position)):
                raise self._failure(self._unreadable(position), position)
            tokens.append(_Token(match.lastgroup or "", match.group(), position))
            position = match.end()
        return [*tokens, _Token("end", "", len(self._text))]

    def _unreadable(self, position: int) -> str:
        character = self._text[position]
        if character in "\"'":
            return "This text is never closed: end it with the same quote"
        if character in ":<>=!":
            return f"Found {character}: write a comparator around field and value, like eq(status, {quoted('error')})"
        return f"Found {character!r}, which means nothing here"

    def _expression(self, depth: int) -> Node:
        token = self._take("name", 'a comparator, like eq(status, "error")')
        if depth > MAX_DEPTH:
            raise self._failure(
                f"More than {MAX_DEPTH} comparators inside each other: write it flatter", token.position
            )
        name = self._one_of(token, _COMPARATORS, "comparator")
        self._mark("(")
        node = self._body(name, depth)
        self._mark(")")
        return node

    def _body(self, name: str, depth: int) -> Node:
        if name in ("and", "or"):
            items = self._listed(lambda: self._expression(depth + 1))
            return And(tuple(joined(items))) if name == "and" else Or(tuple(items))
        if name == "not":
            return Not(self._expression(depth + 1))
        if name == "has":
            return self._has()
        if name == "exists":
            self._field(("metadata",))
            return HasKey(self._string())
        if name == "search":
            return self._search()
        return self._comparison(name)

    def _has(self) -> Node:
        if self._field(("tags", "metadata")) == "tags":
            return HasTag(self._string())
        token = self._peek()
        return HasPairs(self._fitting(read_pairs, self._string(), token))

    def _search(self) -> Node:
        if self._peek().kind == "string":
            return Search(None, self._string())
        field = self._field((*_SEARCHABLE, *FAMILY_OF))
        if field not in FAMILY_OF:
            return Search(field, self._string())
        return self._entry("search", field, self._string())

    def _comparison(self, name: str) -> Node:
        token = self._peek()
        field = self._field((*FIELDS, *FAMILY_OF))
        if field in FAMILY_OF:
            return self._condition(name, field, token)
        kind = FIELDS[field].kind
        words = kind in ("text", "id")
        if name == "like":
            if not words:
                raise self._failure(f"like is for text, and {field} is a {kind}: use eq, gt or lt", token.position)
            return Like(field, self._string())
        if name == "in":
            return In(field, tuple(self._values(kind)))
        value = self._value(kind)
        if name not in ("eq", "neq") and (words or value is None):
            raise self._senseless(name, field, value, token)
        return Compare(name, field, value)

    def _condition(self, name: str, field: str, token: _Token) -> Node:
        """One condition on an entry's key or value; `and` puts it together with the others of the entry."""
        kind: Kind = "text" if field == FAMILY_OF[field].key else FAMILY_OF[field].value_kind
        if name == "like":
            return self._entry(name, field, self._string())
        if name == "in":
            return self._entry(name, field, tuple(self._values(kind)))
        value = self._value(kind)
        orders = name not in ("eq", "neq")
        if (kind == "text" and (orders or value is None)) or (orders and (value is None or isinstance(value, bool))):
            raise self._senseless(name, field, value, token)
        return self._entry(name, field, value)

    def _entry(self, name: str, field: str, value: Scalar | tuple[Scalar, ...]) -> Node:
        return Entry(FAMILY_OF[field], (Condition(field, name, value),))

    def _senseless(self, name: str, field: str, value: Scalar, token: _Token) -> FilterError:
        what = field if value is not None else "null"
        return self._failure(f"{name} has no meaning for {what}: use eq or neq", token.position)

    def _field(self, among: Iterable[str]) -> str:
        """The field and the comma after it."""
        names, token = tuple(among), self._take("name", "a field, like status")
        if token.text in ("tags", "metadata") and token.text not in names:
            raise self._failure(f'{token.text} takes has, like has({token.text}, "…")', token.position)
        name = self._one_of(token, names, "field")
        self._mark(",")
        return name

    def _values(self, kind: Kind) -> list[Scalar]:
        self._mark("[")
        empty = self._peek().text == "]"
        values = [] if empty else self._listed(lambda: self._value(kind))
        self._mark("]")
        return values

    def _listed(self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self._peek().text == ",":
            self._next += 1
            found.append(read())
        return found

    def _value(self, kind: Kind) -> Scalar:
        token = self._take_any()
        return self._fitting(lambda value: fit(kind, value), self._literal(token), token)

    def _literal(self, token: _Token) -> Scalar:
        if token.kind == "string":
            return self._unescaped(token)
        if token.kind == "number":
            return self._fitting(read_number, token.text, token)
        if token.text in ("true", "false", "null"):
            return {"true": True, "false": False}.get(token.text)
        hint = f": put it in quotes, like {quoted(token.text)}" if token.kind == "name" else ""
        raise self._failure(f"Expected a value{hint}", token.position)

    def _string(self) -> str:
        return self._unescaped(self._take("string", 'a text in quotes, like "beta"'))

    def _unescaped(self, token: _Token) -> str:
        for match in re.finditer(r"\\(.)", token.text, re.DOTALL):
            if match[1] not in "\"'\\":
                raise self._failure(
                    f"Unknown escape {match[0]!r}: write \\\\ for a backslash", token.position + match.start()
                )
        return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)

    def _fitting(self, fit: Callable[[Any], T], value: Any, token: _Token) -> T:
        try:
            return fit(value)
        except UnfitError as error:
            raise self._failure(str(error), token.position) from error

    def _one_of(self, token: _Token, names: Iterable[str], what: str) -> str:
        names = tuple(names)
        if token.text in names:
            return token.text
        near = difflib.get_close_matches(token.text[:80].lower(), names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise self._failure(f"Unknown {what} {token.text[:80]}: {hint}", token.position)

    def _mark(self, mark: str) -> None:
        token = self._peek()
        if token.text != mark:
            raise self._failure(f"Expected {mark}", token.position)
        self._next += 1

    def _take(self, kind: str, wanted: str) -> _Token:
        token = self._peek()
        if token.kind != kind:
            raise self._failure(f"Expected {wanted}", token.position)
        return self._take_any()

    def _take_any(self) -> _Token:
        token = self._peek()
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _failure(self, message: str, position: int) -> FilterError:
        start = max(0, position - 60)
        shown = "".join(c if c.isprintable() else " " for c in self._text[start : position + 40])
        return FilterError(f"{message}.\n    {shown}\n    {' ' * (position - start)}^", position)


def _end_of_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
