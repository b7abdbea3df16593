"""Lines of a file that may be compressed, one at a time, none longer than 64 MB in memory."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard

from shared.errors import UsageError

LONGEST = 64 * 1024 * 1024
FORMATS = (
    "JSON lines, plain, gzip or zstd: LangSmith runs (with inputs and outputs), chat histories (with messages), "
    "or any objects with --text FIELD"
)
_FOREIGN = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"PAR1": "a Parquet file: write it as JSON lines first",
    b"BZh": "bzip2: unpack it first",
    b"\xfd7zXZ": "xz: unpack it first",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database: write its rows as JSON lines first",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")
_ZSTD = b"\x28\xb5\x2f\xfd"
_HEAD = 16


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1. `data` is without the line's end, and None where it was longer than LONGEST."""

    number: int
    data: bytes | None


class _Rest(io.RawIOBase):
    """A stream whose first bytes were read already. It leaves the closing to whoever opened the stream."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = len(buffer)
        data, self._head = self._head[:wanted], self._head[wanted:]
        data = data or self._stream.read(wanted)
        buffer[: len(data)] = data
        return len(data)


class _Zstd(io.RawIOBase):
    """Frames of zstd. The library's own reader takes a stream that ends early for a whole one."""

    CHUNK = 2_048  # one chunk may unfold to 32,000 times its size

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            packed = self._packed or self._stream.read(self.CHUNK)
            if not packed and self._frame is None:
                return 0
            if not packed:
                raise EOFError("the last zstd frame is not whole")
            self._unfold(packed)
        data, self._plain = self._plain[: len(buffer)], self._plain[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def _unfold(self, packed: bytes) -> None:
        self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        self._plain = memoryview(self._frame.decompress(packed))
        self._packed = b""
        if self._frame.eof:
            self._packed = self._frame.unused_data
            self._frame = None


def open_lines(source: Path | BinaryIO) -> Iterator[Line]:
    """Every line, blank ones too, without a byte order mark. UsageError where it can't be read to its end."""
    with _opened(source) as (stream, name):
        try:
            yield from _numbered(_unpacked(stream, name))
        except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile) as error:
            raise UsageError(
                f"{name} is compressed and broken or cut off ({error}): get it again, or unpack what is left of it."
            ) from error
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror or error}.") from error


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[tuple[IO[bytes], str]]:
    if not isinstance(source, Path):
        yield source, str(getattr(source, "name", "the input"))
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}. Expected {FORMATS}.") from error
    with stream:
        yield stream, str(source)


def _unpacked(stream: IO[bytes], name: str) -> IO[bytes]:
    head = _head(stream)
    rest = io.BufferedReader(_Rest(head, stream))
    if head.startswith(b"\x1f\x8b"):
        unpacked = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=rest)))
    elif head.startswith(_ZSTD):
        unpacked = io.BufferedReader(_Zstd(rest), 1 << 17)
    else:
        return _checked(head, rest, name)
    head = unpacked.read(_HEAD)
    return _checked(head, io.BufferedReader(_Rest(head, unpacked)), name)


def _head(stream: IO[bytes]) -> bytes:
    head = b""
    while len(head) < _HEAD and (more := stream.read(_HEAD - len(head))):
        head += more
    return head


def _checked(head: bytes, stream: IO[bytes], name: str) -> IO[bytes]:
    if head.startswith(_UTF16):
        raise UsageError(f"{name} is UTF-16 or UTF-32: write it as UTF-8 first (iconv -f UTF-16 -t UTF-8).")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UsageError(f"{name} is {what}. Expected {FORMATS}.")
    if head.startswith(b"\xef\xbb\xbf"):
        stream.read(3)
    return stream


def _numbered(stream: IO[bytes]) -> Iterator[Line]:
    number = 0
    while data := stream.readline(LONGEST + 1):
        number += 1
        if len(data) > LONGEST and not data.endswith(b"\n"):
            _skip(stream)
            yield Line(number, None)
        else:
            yield Line(number, data.rstrip(b"\r\n"))


def _skip(stream: IO[bytes]) -> None:
    while (data := stream.readline(1 << 20)) and not data.endswith(b"\n"):
        pass
