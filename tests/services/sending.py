"""Bodies of POST /runs/multipart, as LangSmith's clients make them."""

import json
from collections.abc import Iterable
from typing import Any

BOUNDARY = b"2198c690a3014c72ac45dd50101c5589"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


def part(name: str, body: bytes, *, mime_type: str = "application/json", length: int | None = None) -> bytes:
    """As the Python client writes it. `length` is what it says instead of the truth."""
    header = f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: {mime_type}\r\n'
    said = f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    return b"--" + BOUNDARY + b"\r\n" + (header + said).encode() + body + b"\r\n"


def of_run(run_id: str, operation: str = "post", *, bodies: dict[str, Any], **fields: Any) -> bytes:
    """The parts of one run: its head and each of its `bodies`."""
    name = f"{operation}.{run_id}"
    parts = [part(name, json.dumps({"id": run_id, **fields}).encode())]
    parts += [part(f"{name}.{key}", json.dumps(value).encode()) for key, value in bodies.items()]
    return b"".join(parts)


def whole(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"
