"""The summary prompt: which parts of a trace count. A mustache template with look-ups only, safe for untrusted traces.

    {{run.inputs}} {{run.outputs.messages.0.content}}   a value; strings as they are, all else as JSON
    {{{x}}} and {{&x}}                                  the same: nothing is escaped for HTML
    {{#x}}…{{/x}} {{^x}}…{{/x}} {{.}}                   for each item, or where there is one; where there is none
    {{! …}}                                             a comment

Names begin with `run` or `all_thread_messages`; inside a section its own item comes first. A look-up goes into dicts
and lists (indexes from 0) and never to an attribute; what is missing, null or no JSON is empty, and a callable is never
called. There are no partials, no other delimiters, and no way to name a key that holds a dot or a space.
"""

import difflib
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from chevron.tokenizer import ChevronError, tokenize

from shared.errors import PromptError
from shared.models import Run
from shared.wording import clean

DEFAULT = "{{run.inputs}} {{run.outputs}}"
MAX_TEMPLATE = 50_000
MAX_SECTIONS = 20
MAX_TEXT = 2_000_000
MAX_VALUE = 500_000  # of its characters for one value: an image in the inputs must not push out the outputs
MAX_STEPS = 200_000
MAX_PATHS = 2_000
MAX_NAMED = 10
CUT = "\n[cut here: the text is too long]"

_ROOTS = ("run", "all_thread_messages")
_PARTS = ("inputs", "outputs")
_RUN_FIELDS = (frozenset(Run.model_fields) - {"workspace_id"}) | {*_PARTS, "extra", "events", "serialized", "latency"}
_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_DELIMITER = re.compile(r"<(?=[\s/\\]*trace_value)", re.IGNORECASE)
_UNCLOSED = "a tag is never closed: write }} after the name."
_DELIMITERS = "a summary prompt keeps the delimiters {{ and }}: leave this out."
_MAX_NESTING = 100
_LARGEST_INTEGER_BITS = 10_000
_tokenizer = threading.Lock()  # it counts lines in its module


@dataclass(frozen=True, slots=True)
class Piece:
    """`value` is the looked-up object itself, None where there is none; a piece of the template has none."""

    text: str
    is_value: bool
    value: Any = None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Variable:
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    inverted: bool
    parts: tuple["_Node", ...]


_Node = _Text | _Variable | _Section


@dataclass(frozen=True, slots=True)
class Prompt:
    """`paths` are the dotted paths that the template uses, from `run` or `all_thread_messages` down."""

    paths: frozenset[str]
    required: frozenset[str]
    parts: tuple[_Node, ...]

    def render(self, context: Mapping[str, Any]) -> list[Piece]:
        """Never raises. At most MAX_TEXT characters, MAX_VALUE of a value, after which CUT stands."""
        rendering = _Rendering()
        rendering.render(self.parts, (dict(context),))
        return rendering.pieces


def parse(template: str) -> Prompt:
    """Raises PromptError, with the line and what to write."""
    if len(template) > MAX_TEMPLATE:
        raise PromptError(f"The summary prompt has {len(template):,} characters: make it at most {MAX_TEMPLATE:,}.")
    builder = _Builder(_tokens(template))
    parts = builder.parts(depth=0)
    if not builder.variables:
        raise PromptError("The summary prompt reads nothing of the trace: write {{run.inputs}} or {{run.outputs}}.")
    return Prompt(frozenset(builder.paths), frozenset(builder.required), parts)


def values_only(pieces: Iterable[Piece]) -> list[Any]:
    """The looked-up objects in order, without what was missing."""
    return [piece.value for piece in pieces if piece.is_value and piece.value is not None]


def joined(pieces: Iterable[Piece]) -> str:
    """The prompt for a model: what comes of the trace lies between delimiters that it cannot write itself."""
    return "".join(_delimited(piece.text) if piece.is_value else piece.text for piece in pieces).strip()


def _delimited(text: str) -> str:
    return f"\n<trace_value>\n{_DELIMITER.sub('&lt;', text)}\n</trace_value>\n"


def as_text(value: Any) -> str:
    """A string as it is, null as nothing, other JSON compactly; what is no JSON as nothing. Never raises."""
    if isinstance(value, str):
        return str.__str__(value)
    if not _is_json(value):
        return ""
    try:
        return _dumped(value)
    except (ValueError, RecursionError):  # it contains itself, is too deep, or holds an integer of too many digits
        return _dumped(_pruned(value, ()))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), skipkeys=True, default=_nothing)


def _nothing(_: object) -> None:
    """What JSON writes for an object that it does not know."""


def _is_json(value: Any) -> bool:
    return isinstance(value, str | int | float | dict | list | tuple)


def _pruned(value: Any, around: tuple[int, ...]) -> Any:
    """A copy that JSON can write; `around` are the ids of what the value lies in."""
    if isinstance(value, dict | list | tuple):
        if id(value) in around or len(around) >= _MAX_NESTING:
            return "…"
        around = (*around, id(value))
    if isinstance(value, dict):
        return {key: _pruned(inner, around) for key, inner in value.items() if isinstance(key, str)}
    if isinstance(value, list | tuple):
        return [_pruned(inner, around) for inner in value]
    return "…" if isinstance(value, int) and value.bit_length() > _LARGEST_INTEGER_BITS else value


class _Builder:
    """Turns tokens into a tree, and refuses what this dialect has not."""

    def __init__(self, tokens: Iterable[_Token]) -> None:
        self._tokens = iter(tokens)
        self.paths: set[str] = set()
        self.required: set[str] = set()
        self.variables = 0

    def parts(self, depth: int) -> tuple[_Node, ...]:
        """What stands up to the end of the section, or of the template."""
        found: list[_Node] = []
        for token in self._tokens:
            if token.kind == "end":
                break
            found.append(self._node(token, depth))
        return tuple(found)

    def _node(self, token: _Token, depth: int) -> _Node:
        match token.kind:
            case "literal":
                return _Text(token.text)
            case "variable" | "no escape":
                return self._variable(token, depth)
            case "section" | "inverted section":
                return self._section(token, depth)
            case "partial":
                raise PromptError(f"Line {token.line}: a summary prompt has no partials: write the text here instead.")
            case "set delimiter":
                raise PromptError(f"Line {token.line}: {_DELIMITERS}")
            case _:
                raise PromptError(
                    f"Line {token.line}: {{{{{{{_shown(token.text)} is never closed: write }}}}}} after it."
                )

    def _variable(self, token: _Token, depth: int) -> _Variable:
        path = _path(token, depth)
        self.variables += 1
        self._use(path)
        if depth == 0 and len(path) > 2 and path[0] == "run" and path[1] in _PARTS:
            self.required.add(".".join(path))
        return _Variable(path)

    def _section(self, token: _Token, depth: int) -> _Section:
        if depth >= MAX_SECTIONS:
            raise PromptError(f"Line {token.line}: more than {MAX_SECTIONS} sections inside each other: use fewer.")
        path = _path(token, depth)
        self._use(path)
        return _Section(path, token.kind == "inverted section", self.parts(depth + 1))

    def _use(self, path: tuple[str, ...]) -> None:
        if path and path[0] in _ROOTS:
            self.paths.add(".".join(path))


def _path(token: _Token, depth: int) -> tuple[str, ...]:
    """The parts of a name; none for `.`, the item itself."""
    where, name = f"Line {token.line}: ", token.text
    if name == ".":
        if depth == 0:
            raise PromptError(f"{where}{{{{.}}}} stands for the item of a section: write it inside one.")
        return ()
    path = tuple(name.split("."))
    if not all(path) or not name.isprintable() or " " in name:
        raise PromptError(f"{where}{_shown(name)} is no name: write names with dots between, like {{{{run.inputs}}}}.")
    if any(re.fullmatch(r"-[0-9]+", part) for part in path):
        raise PromptError(f"{where}{_shown(name)}: indexes of lists count from 0; there are no negative ones.")
    if depth == 0 and path[0] not in _ROOTS:
        raise PromptError(f"{where}unknown name {_shown(name)}: {_nearest(name, path)}")
    if depth == 0 and path[0] == "run" and len(path) > 1 and path[1] not in _RUN_FIELDS:
        raise PromptError(f"{where}a run has no {_shown(path[1])}: {_near(path[1], sorted(_RUN_FIELDS))}")
    return path


def _nearest(name: str, path: tuple[str, ...]) -> str:
    if path[0] in _RUN_FIELDS:
        return f"did you mean run.{_shown(name)}?"
    return _near(path[0], _ROOTS)


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:200], known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:40])}."


def _tokens(template: str) -> list[_Token]:
    """Chevron's tokens with their own lines: it forgets the line breaks that it takes away with a section's tag."""
    places = [match for match in _TAG.finditer(template) if not match.group().startswith("{{!")]
    lines = [template.count("\n", 0, match.start()) + 1 for match in places]
    tokens: list[_Token] = []
    tags = 0
    with _tokenizer:
        try:
            for kind, text in tokenize(template):
                tokens.append(_Token(kind, text, lines[min(tags, len(lines) - 1)] if lines else 1))
                tags += kind != "literal"
                if kind == "set delimiter":
                    return tokens
        except (ChevronError, IndexError) as error:
            raise PromptError(_syntax(template, tokens, lines[tags:], error)) from error
    if template.endswith("{{"):
        raise PromptError(f"Line {_last_line(template)}: {_UNCLOSED}")
    return tokens


def _syntax(template: str, tokens: list[_Token], lines: list[int], error: Exception) -> str:
    """What the tokenizer refused, with its line. `lines` are those of the tags from the refused one on."""
    opened = _open_sections(tokens)
    if isinstance(error, IndexError):
        return f"Line {lines[0]}: {{{{}}}} names nothing: write a name, like {{{{run.inputs}}}}."
    if str(error).startswith("unclosed tag"):
        return f"Line {_last_line(template)}: {_UNCLOSED}"
    if str(error).startswith("unclosed set delimiter"):
        return f"Line {lines[0]}: {_DELIMITERS}"
    name = _shown(opened[-1].text) if opened else ""
    if lines and opened:
        return f"Line {lines[0]}: section {name} is open here: write {{{{/{name}}}}}."
    if lines:
        return f"Line {lines[0]}: this closes a section that was never opened: write {{{{#name}}}} before it."
    return f"Line {opened[-1].line}: section {name} is never closed: write {{{{/{name}}}}} after it."


def _shown(name: str) -> str:
    """A name of the template as an error may show it: any text can be in there."""
    return "".join(character if character.isprintable() else "�" for character in name[:100])


def _last_line(template: str) -> int:
    """The line of the last tag that opens."""
    return template.count("\n", 0, template.rfind("{{")) + 1


def _open_sections(tokens: list[_Token]) -> list[_Token]:
    opened: list[_Token] = []
    for token in tokens:
        if token.kind in ("section", "inverted section"):
            opened.append(token)
        elif token.kind == "end":
            opened.pop()
    return opened


class _Rendering:
    """One rendering, with what is left of its bounds."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._characters = MAX_TEXT - len(CUT)
        self._steps = MAX_STEPS
        self._over = False

    def render(self, parts: tuple[_Node, ...], scopes: tuple[Any, ...]) -> None:
        for part in parts:
            if self._ended():
                return
            self._node(part, scopes)

    def _ended(self) -> bool:
        """Takes one step, if there is one left."""
        self._steps -= 1
        if self._steps < 0:
            self._cut()
        return self._over

    def _node(self, node: _Node, scopes: tuple[Any, ...]) -> None:
        match node:
            case _Text(text):
                self._add(text, is_value=False, value=None)
            case _Variable(path):
                value = _found(path, scopes)
                self._add(_bounded(as_text(value)), is_value=True, value=value)
            case _Section(path, inverted, parts):
                for item in _items(_found(path, scopes), inverted):
                    if self._ended():
                        return
                    self.render(parts, (*scopes, item))

    def _add(self, text: str, *, is_value: bool, value: Any) -> None:
        cut = len(text) > self._characters
        self.pieces.append(Piece(text[: self._characters] if cut else text, is_value, value))
        self._characters -= min(len(text), self._characters)
        if cut:
            self._cut()

    def _cut(self) -> None:
        if not self._over:
            self.pieces.append(Piece(CUT, is_value=False))
        self._over = True


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - len(CUT)] + CUT


def _items(value: Any, inverted: bool) -> Sequence[Any]:
    """What a section is laid over, one item a turn."""
    if inverted:
        return () if value else ({},)
    if isinstance(value, list | tuple):
        return value
    return (value,) if value else ()


def _found(path: tuple[str, ...], scopes: tuple[Any, ...]) -> Any:
    """None where there is nothing, or no JSON. The innermost scope that has the first name decides."""
    if not path:
        return scopes[-1] if _is_json(scopes[-1]) else None
    for scope in reversed(scopes):
        exists, value = _step(scope, path[0])
        if exists:
            return _below(value, path[1:])[1]
    return None


def _below(value: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    exists = True
    for name in path:
        exists, value = _step(value, name)
        if not exists:
            break
    return exists, value if _is_json(value) else None


def _step(value: Any, name: str) -> tuple[bool, Any]:
    """Whether `value` has `name`, and what it is: a key of a dict or an index of a list, never an attribute."""
    if isinstance(value, dict):
        return (True, value[name]) if name in value else (False, None)
    if isinstance(value, list | tuple) and re.fullmatch(r"[0-9]{1,9}", name) and int(name) < len(value):
        return True, value[int(name)]
    return False, None


@dataclass
class PathCheck:
    """Looks for what a prompt reads below run.inputs and run.outputs: no trace may have it, for a slip of the pen.

    Outside sections only: a section says itself that a path may be missing.
    """

    prompt: Prompt
    _missing: set[str] = field(init=False)
    existing: dict[str, None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._missing = set(self.prompt.required)

    @property
    def done(self) -> bool:
        return not self._missing

    def look(self, context: Mapping[str, Any]) -> None:
        """Take one trace's context into account; costs at most MAX_PATHS steps."""
        if self.done:
            return
        seen = dict(context)
        self._missing -= {path for path in self._missing if _below(seen, tuple(path.split(".")))[0]}
        for path in islice(_paths(seen), MAX_PATHS):
            if len(self.existing) >= MAX_PATHS:
                return
            self.existing[path] = None

    def require(self) -> None:
        """Raises PromptError that names each path that no trace had, and the nearest that one had."""
        if self.done:
            return
        named = sorted(self._missing)
        sentences = [f"{path} is in no trace{self._near(path)}" for path in named[:MAX_NAMED]]
        more = f"; and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        raise PromptError(clean(f"The summary prompt reads what is not there: {'; '.join(sentences)}{more}."))

    def _near(self, path: str) -> str:
        near = difflib.get_close_matches(path[:300], self.existing, n=1, cutoff=0.5)
        return f" (perhaps {near[0]})" if near else ""


def _paths(context: dict[str, Any]) -> Iterator[str]:
    """The dotted paths below inputs and outputs, the short ones first; the first three items of a list stand for all.

    Names that the prompt cannot write are left out.
    """
    waiting = deque((f"run.{part}", _below(context, ("run", part))[1]) for part in _PARTS)
    for _ in range(MAX_PATHS):
        if not waiting:
            return
        prefix, value = waiting.popleft()
        for name, inner in _children(value):
            path = f"{prefix}.{name}"
            yield path
            if len(waiting) < MAX_PATHS:
                waiting.append((path, inner))


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in islice(value.items(), 200):
            if isinstance(name, str) and re.fullmatch(r"[^\s.]{1,100}", name):
                yield name, inner
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value[:3]):
            yield str(index), inner
