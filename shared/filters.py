r"""The run filters of LangSmith's API, over the fields of one run: `and(eq(is_root, true), gt(latency, "5s"))`.

    expression  and(e, …) | or(e, …) | not(e) | eq|neq|gt|gte|lt|lte(field, value) | in(field, [value, …])
                | like(field, "%part_%") | has(tags, "beta") | has(metadata, '{"key": "value"}')
                | exists(metadata, "key")
    value       "text" | 'text' | number | true | false | null      escapes: \" \' \\

`like` minds upper and lower case; % is any text, _ is one character, and a backslash (written \\) takes either as it
is. What a run does not know is null: no gt, lt, like or eq with a value holds for it, and neq does.
"""

import difflib
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeVar

from shared.errors import FilterError
from shared.models import Run

MAX_LENGTH = 20_000
MAX_DEPTH = 100

Kind = Literal["text", "id", "number", "time", "duration", "boolean"]
Scalar = str | int | float | bool | None
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_COMPARATORS = ("and", "or", "not", *_ORDER, "neq", "in", "has", "like", "exists")
_LATER = frozenset(
    {"search", "filter", "trace_filter", "tree_filter"}
    | {f"{of}_{what}" for of in ("metadata", "input", "output", "feedback") for what in ("key", "value", "score")}
)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN = re.compile(
    r"""(?P<name>[^\W\d]\w*) | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+') | (?P<mark>[(),\[\]])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Field:
    """`read` gives what the run knows: nothing, one value, or for an id the source's own id as well."""

    kind: Kind
    read: Callable[[Run], tuple[Any, ...]]


def _known(*values: Any) -> tuple[Any, ...]:
    return tuple(value for value in values if value is not None)


def _plain(name: str, kind: Kind) -> Field:
    return Field(kind, lambda run: _known(getattr(run, name)))


def _trace_ids(run: Run) -> tuple[Any, ...]:
    return _known(run.trace_id, run.source_id if run.parent_run_id is None else None)


FIELDS: Mapping[str, Field] = {
    "id": Field("id", lambda run: _known(run.id, run.source_id)),
    "trace_id": Field("id", _trace_ids),
    "parent_run_id": _plain("parent_run_id", "id"),
    **{name: _plain(name, "text") for name in ("name", "run_type", "status", "error", "thread_id")},
    "is_root": Field("boolean", lambda run: (run.parent_run_id is None,)),
    "start_time": _plain("start_time", "time"),
    "end_time": _plain("end_time", "time"),
    "latency": _plain("latency", "duration"),
    **{
        f"{part}_{what}": _plain(f"{part}_{what}", "number")
        for what in ("tokens", "cost")
        for part in ("total", "prompt", "completion")
    },
}


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]

    def matches(self, run: Run) -> bool:
        return all(part.matches(run) for part in self.parts)

    def render(self) -> str:
        return f"and({', '.join(part.render() for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]

    def matches(self, run: Run) -> bool:
        return any(part.matches(run) for part in self.parts)

    def render(self) -> str:
        return f"or({', '.join(part.render() for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"

    def matches(self, run: Run) -> bool:
        return not self.part.matches(run)

    def render(self) -> str:
        return f"not({self.part.render()})"


@dataclass(frozen=True, slots=True)
class Compare:
    """eq, neq, gt, gte, lt or lte. A time is µs since 1970, a duration seconds; null only with eq and neq."""

    comparator: str
    field: str
    value: Scalar

    def matches(self, run: Run) -> bool:
        known = FIELDS[self.field].read(run)
        if self.value is None:
            return bool(known) == (self.comparator == "neq")
        if self.comparator == "neq":
            return self.value not in known
        return any(_ORDER[self.comparator](value, self.value) for value in known)

    def render(self) -> str:
        return f"{self.comparator}({self.field}, {_rendered(self.field, self.value)})"


@dataclass(frozen=True, slots=True)
class In:
    field: str
    values: tuple[Scalar, ...]

    def matches(self, run: Run) -> bool:
        known = FIELDS[self.field].read(run)
        return any(value in self.values for value in known) if known else None in self.values

    def render(self) -> str:
        return f"in({self.field}, [{', '.join(_rendered(self.field, value) for value in self.values)}])"


@dataclass(frozen=True, slots=True)
class Like:
    field: str
    pattern: str

    def matches(self, run: Run) -> bool:
        return any(_like(self.pattern).fullmatch(value) for value in FIELDS[self.field].read(run))

    def render(self) -> str:
        return f"like({self.field}, {_quoted(self.pattern)})"


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str

    def matches(self, run: Run) -> bool:
        return self.tag in run.tags

    def render(self) -> str:
        return f"has(tags, {_quoted(self.tag)})"


@dataclass(frozen=True, slots=True)
class HasPairs:
    """The metadata holds each of these keys with an equal value: 1 equals 1.0, but neither true nor "1"."""

    pairs: Mapping[str, Any]

    def matches(self, run: Run) -> bool:
        return all(key in run.metadata and _same(run.metadata[key], value) for key, value in self.pairs.items())

    def render(self) -> str:
        return f"has(metadata, {_quoted(json.dumps(self.pairs, ensure_ascii=False))})"


@dataclass(frozen=True, slots=True)
class HasKey:
    key: str

    def matches(self, run: Run) -> bool:
        return self.key in run.metadata

    def render(self) -> str:
        return f"exists(metadata, {_quoted(self.key)})"


Node = And | Or | Not | Compare | In | Like | HasTag | HasPairs | HasKey


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter; `root` is its syntax tree, of which a store may push down what it can."""

    root: Node

    def matches(self, run: Run) -> bool:
        return self.root.matches(run)

    def render(self) -> str:
        return self.root.render()


def parse(text: str) -> Filter:
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


class _Unfit(Exception):
    """A value does not fit its field; the sentence says what does."""


class _Parser:
    """Recursive descent, one token ahead; depth is bounded, so that Python's own stack is never the limit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scanned()
        self._next = 0

    def parse(self) -> Filter:
        root = self._expression(1)
        self._take("end", "nothing more")
        return Filter(root)

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
            return f"Found {character}: write a comparator around field and value, like eq(status, {_quoted('error')})"
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
            parts = tuple(self._listed(lambda: self._expression(depth + 1)))
            return And(parts) if name == "and" else Or(parts)
        if name == "not":
            return Not(self._expression(depth + 1))
        if name == "has":
            return self._has()
        if name == "exists":
            self._field(("metadata",))
            return HasKey(self._string())
        return self._comparison(name)

    def _has(self) -> Node:
        if self._field(("tags", "metadata")) == "tags":
            return HasTag(self._string())
        token = self._peek()
        return HasPairs(self._fitting(_pairs, self._string(), token))

    def _comparison(self, name: str) -> Node:
        token = self._peek()
        field = self._field(FIELDS)
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
            raise self._failure(
                f"{name} has no meaning for {'null' if value is None else field}: use eq or neq", token.position
            )
        return Compare(name, field, value)

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
        return self._fitting(lambda value: _fit(kind, value), self._literal(token), token)

    def _literal(self, token: _Token) -> Scalar:
        if token.kind == "string":
            return self._unescaped(token)
        if token.kind == "number":
            return self._fitting(_number, token.text, token)
        if token.text in ("true", "false", "null"):
            return {"true": True, "false": False}.get(token.text)
        hint = f": put it in quotes, like {_quoted(token.text)}" if token.kind == "name" else ""
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
        except _Unfit as error:
            raise self._failure(str(error), token.position) from error

    def _one_of(self, token: _Token, names: Iterable[str], what: str) -> str:
        names = tuple(names)
        if token.text in names:
            return token.text
        if token.text in _LATER:
            raise self._failure(f"{token.text} is not served yet; known are {', '.join(names)}", token.position)
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


def _fit(kind: Kind, value: Scalar) -> Scalar:
    """The value as the field holds it, or _Unfit."""
    if value is None:
        return None
    if kind == "text" or kind == "id":
        return _text(value, lower=kind == "id")
    if kind == "time":
        return _time(value)
    if kind == "duration" and isinstance(value, str):
        return _seconds(value)
    if isinstance(value, str) or isinstance(value, bool) != (kind == "boolean"):
        wanted = {"boolean": "true or false", "duration": 'seconds, or a text like "5s"'}.get(kind, "a number")
        raise _Unfit(f"Expected {wanted}")
    return value


def _text(value: Scalar, lower: bool) -> str:
    if not isinstance(value, str):
        raise _Unfit("Expected a text: put it in quotes")
    return value.lower() if lower and _UUID.fullmatch(value) else value


def _time(value: Scalar) -> int:
    """µs since 1970; a time without a zone is UTC."""
    if not isinstance(value, str):
        raise _Unfit('Expected a time, like "2026-01-31T12:00:00Z"')
    try:
        time = datetime.fromisoformat(value)
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise _Unfit('This is no time: write it like "2026-01-31T12:00:00Z"') from None


def _seconds(value: str) -> float:
    match = _DURATION.fullmatch(value.strip())
    unit = match and _UNITS.get(match[2].lower().replace("µ", "u"))
    if not match or not unit:
        raise _Unfit(f'This is no duration: write seconds, or a number with a unit ({", ".join(_UNITS)}), like "300ms"')
    return _finite(float(match[1]) * unit)


def _number(text: str) -> int | float:
    value = _finite(float(text))
    return int(text) if text.lstrip("+-").isdecimal() else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise _Unfit("This number is too large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _Unfit(f"{name} cannot be compared")


def _pairs(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_float=lambda digits: _finite(float(digits)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        raise _Unfit('Expected pairs as JSON, like \'{"env": "prod"}\'; for a key alone use exists(metadata, "env")')
    if _too_deep(found):
        raise _Unfit(f"More than {MAX_DEPTH} values inside each other")
    return found


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON; its depth is that of `wanted`, which is bounded."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(_same(found[key], value) for key, value in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(wanted)
            and all(_same(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


@lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    """Each % takes the shortest text that goes on, and never again: linear, whatever the pattern."""
    parts = [""]
    for match in re.finditer(r"\\([%_\\])|(.)", pattern, re.DOTALL):
        if match[2] == "%":
            parts.append("")
        else:
            parts[-1] += "." if match[2] == "_" else re.escape(match[1] or match[2])
    if len(parts) == 1:
        return re.compile(parts[0], re.DOTALL)
    first, *middle, last = parts
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{last}", re.DOTALL)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rendered(field: str, value: Scalar) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if FIELDS[field].kind == "time" and isinstance(value, int):
        return _quoted((_EPOCH + value * _MICROSECOND).isoformat())
    return _quoted(value) if isinstance(value, str) else repr(value)
