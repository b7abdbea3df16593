"""What stands behind Content-Encoding: gzip and zstd, decoded piece by piece so that no bomb goes off."""

import io
import zlib
from collections.abc import Callable, Iterator

import zstandard

PIECE = 256 * 1024  # bytes
_WINDOW = 32 * 1024 * 1024  # bytes that a frame may make its reader keep
_GZIP = 31  # zlib's name for gzip's header


class EncodingError(Exception):
    """The body is not in the encoding that it says. One that is cut off is not found out here."""


def gzip(body: bytes) -> Iterator[bytes]:
    decoder = zlib.decompressobj(_GZIP)
    rest = body
    try:
        while rest:
            piece = decoder.decompress(rest, PIECE)
            rest = decoder.unconsumed_tail
            if decoder.eof:
                rest, decoder = decoder.unused_data, zlib.decompressobj(_GZIP)
            yield piece
    except zlib.error as error:
        raise EncodingError(str(error)) from error


def zstd(body: bytes) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            while piece := reader.read(PIECE):
                yield piece
    except zstandard.ZstdError as error:
        raise EncodingError(str(error)) from error


DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {"gzip": gzip, "x-gzip": gzip, "zstd": zstd}
