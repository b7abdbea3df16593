"""The parts of POST /runs/multipart, as LangSmith's clients send them.

    post.<run id>, patch.<run id>           a run without its bodies
    post.<run id>.inputs, .outputs, …       one body
    feedback.<feedback id>                  a piece of feedback
    attachment.<run id>.<name>              a file

A part may say its length, in Content-Length or as `length=` in its Content-Type. What is wrong with one part is the
matter of that part alone, which is why no library reads this: they stop at the first part that is not as it should be.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.wording import clean

PARTS = 20_000  # of one body: a client sends 100 runs at once, of up to 7 parts and some attachments
HEADER = 8_192  # bytes
_USUAL = re.compile(  # what the Python client writes, in one look
    rb'\r\nContent-Disposition: form-data; name="([^"\r\n]*)"'
    rb"\r\nContent-Type: ([^\r\n;]*)\r\nContent-Length: (\d{1,15})\r\n\r\n"
)
_NAME = re.compile(rb'name="([^"]*)"')
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n;]*)", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"(?:^content-length:[ \t]*|;[ \t]*length=)(\d{1,15})", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;,"]+))', re.IGNORECASE)
_ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}  # as browsers and Node write them in a name


class PartError(Exception):
    """This part can't be taken; the others go on."""


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    mime_type: str
    body: bytes


def boundary_of(content_type: str) -> bytes | None:
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]).encode("utf-8", "replace") if found else None


def read_parts(body: bytes, boundary: bytes) -> Iterator[Part | PartError]:
    """Every part in its order, or what is wrong with it. A part that is cut off by the body's end is wrong."""
    delimiter = b"\r\n--" + boundary
    at = len(delimiter) - 2 if body.startswith(delimiter[2:]) else _after(body, delimiter, 0)
    count = 0
    while at >= 0 and not body.startswith(b"--", at):
        if count == PARTS:
            yield PartError(f"there are more than {PARTS:,} parts: send fewer runs at once")
            return
        count += 1
        end = body.find(delimiter, at)
        yield _part(body, at, end)
        at = end + len(delimiter) if end >= 0 else -1


def _after(body: bytes, delimiter: bytes, start: int) -> int:
    found = body.find(delimiter, start)
    return found + len(delimiter) if found >= 0 else -1


def _part(body: bytes, at: int, end: int) -> Part | PartError:
    if end < 0:
        return PartError("the body ends within a part")
    if (usual := _USUAL.match(body, at, end)) is not None:
        name, mime_type, length = usual.groups()
        return _measured(name, mime_type, length, body[usual.end() : end])
    split = body.find(b"\r\n\r\n", at, min(end, at + HEADER))
    if split < 0:
        return PartError("a part has no header, or one that is too long")
    header = body[at:split]
    if (named := _NAME.search(header)) is None:
        return PartError("a part has no name")
    said, typed = _LENGTH.search(header), _TYPE.search(header)
    return _measured(named[1], typed[1] if typed else b"", said[1] if said else None, body[split + 4 : end])


def _measured(name: bytes, mime_type: bytes, length: bytes | None, body: bytes) -> Part | PartError:
    text = name.decode("utf-8", "replace")
    if length is not None and int(length) != len(body):
        return PartError(f"{shown(text)}: it has {len(body):,} bytes, and says {int(length):,}")
    return Part(text, mime_type[:200].decode("utf-8", "replace").strip(), body)


def shown(name: str) -> str:
    return clean(name)[:120]


def unescaped(name: str) -> str:
    for escaped, plain in _ESCAPED.items():
        name = name.replace(escaped, plain)
    return name
