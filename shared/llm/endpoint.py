"""Where models answer, and the key that opens it. Nothing here shows a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import SecretStr

from shared.config import mask
from shared.errors import UsageError

OPENAI = "https://api.openai.com/v1"
PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HEADER = re.compile(r"[\x20-\x7e]*")
_SHORTEST_SECRET = 6  # characters: what is shorter, such as a key `x` of a local server, is no secret


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """An OpenAI-compatible server.

    base_url: with its path, such as `http://localhost:11434/v1`, and a query where Azure wants one; None for OpenAI.
    key: sent as a bearer token; none is needed where the server asks for none, or for a header instead.
    timeout: seconds of one attempt of one call.
    UsageError where a part of it cannot be sent.
    """

    base_url: str | None = None
    key: SecretStr | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 120.0

    def __post_init__(self) -> None:
        parts = _split(self.address)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{mask(self.address)!r} is no base URL: write it as in http://localhost:11434/v1.")
        if self.secret and not _PRINTABLE.fullmatch(self.secret):
            raise UsageError("The key of the model's endpoint has spaces or signs that no key has: copy it again.")
        for name, value in self.headers.items():
            if not _PRINTABLE.fullmatch(name) or not _HEADER.fullmatch(value):
                raise UsageError(f"The header {name!r} has signs that no header has: give it as name: value.")

    @property
    def address(self) -> str:
        return self.base_url or OPENAI

    @property
    def url(self) -> str:
        """Without the query, which goes to the end of each call's address."""
        return self.address.partition("?")[0]

    @property
    def place(self) -> str:
        """What tells it from another whose model of the same name may be another model; empty for OpenAI itself.

        Nothing secret: no user, no query, which holds a version on Azure, where the path has the model.
        """
        parts = urlsplit(self.url)
        port = "" if parts.port in (None, PORTS.get(parts.scheme)) else f":{parts.port}"
        place = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
        return "" if place == OPENAI else place

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.address).query))

    @property
    def secret(self) -> str:
        """The key, without what was copied around it; empty where there is none."""
        return self.key.get_secret_value().strip() if self.key else ""

    @property
    def name(self) -> str:
        """For a person and a log."""
        return mask(self.address)

    def redact(self, text: str) -> str:
        """What the endpoint said, without what it may repeat of the key, a header's value or the URL's own secrets."""
        parts = urlsplit(self.address)
        secrets = {self.secret, *self.headers.values(), *self.query.values(), parts.password or ""}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text

    def __repr__(self) -> str:
        return f"Endpoint({self.name}, key={'***' if self.secret else None}, headers={sorted(self.headers)})"


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # which is checked only when it is looked at
    except ValueError:
        return None
    return parts if _PRINTABLE.fullmatch(address) else None
