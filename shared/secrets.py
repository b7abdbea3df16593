"""Keys of model providers that a workspace stores: sealed (`vault.py`), and each sent only to the hosts it is for.

A host is written as `api.example.com`, as `*.example.com` for all below it, or with a port of its own. Over plain HTTP
a secret goes only to a host that was written with its port: nobody sends it in the clear by a wrong address.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from shared.models import Document

if TYPE_CHECKING:
    from shared.store import Store

PROVIDERS: Mapping[str, str] = {  # key → address of its provider
    "OPENAI_API_KEY": "https://api.openai.com/v1",
    "ANTHROPIC_API_KEY": "https://api.anthropic.com/v1",
}
_HOST = re.compile(r"(\*\.(?=[^.]+\.[^.]))?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?")
_PLACE = re.compile(r"\$?\{\{?[^{}]*\}\}?")
_UNFIT = frozenset({"host", "connection", "content-length", "content-type", "transfer-encoding", "upgrade", "te"})

SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
SecretValue = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]+$", max_length=8_000)]


class HostConfig(BaseModel):
    """Where a secret goes, and how: by default as a bearer token. In the template, {value} stands for the secret."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host_pattern: Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True, max_length=260)]
    header_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None
    header_value_template: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=500)] | None = None

    @field_validator("host_pattern")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        if not _HOST.fullmatch(value):
            raise ValueError("expected a host such as api.example.com, *.example.com or localhost:11434")
        return value

    @field_validator("header_name")
    @classmethod
    def _may_be_set(cls, value: str | None) -> str | None:
        if value is not None and value.lower() in _UNFIT:
            raise ValueError("this header cannot carry a secret")
        return value

    @field_validator("header_value_template")
    @classmethod
    def _has_one_place(cls, value: str | None) -> str | None:
        if value is not None and len(_PLACE.findall(value)) != 1:
            raise ValueError("expected one {value} in it, for the secret")
        return value

    def is_for(self, address: str) -> bool:
        parts = urlsplit(address.lower())
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        pattern, _, port = self._split()
        if port:
            given = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
            fits = port == str(given)
        else:
            fits = parts.scheme == "https"
        return fits and (host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])))

    def header(self, value: str) -> tuple[str, str]:
        bearer = (self.header_name or "authorization").lower() == "authorization"
        template = self.header_value_template or ("Bearer {value}" if bearer else "{value}")
        return "Authorization" if bearer else str(self.header_name), _PLACE.sub(lambda _: value, template)

    def _split(self) -> tuple[str, str, str]:
        found = re.fullmatch(r"(.*?)(:([0-9]+))?", self.host_pattern)
        assert found is not None
        return found[1], found[2] or "", found[3] or ""


async def workspace_has_key(store: "Store", workspace_id: str, provider: str) -> bool:
    """Whether it stores a key of this provider (openai, anthropic): its jobs may ask at PROVIDERS's address."""
    secret = await store.secret(workspace_id, f"{provider.upper()}_API_KEY")
    return secret is not None and secret.sealed is not None and secret.key in PROVIDERS


class Secret(Document):
    """`sealed` is what the vault made of the value; None where only hosts were given so far."""

    workspace_id: str
    key: str
    sealed: str | None = None
    configs: tuple[HostConfig, ...] = Field(default=(), max_length=20)

    def config_for(self, address: str) -> HostConfig | None:
        """How it goes to this address; None: not at all. A provider's key without hosts goes to its provider."""
        configs = self.configs
        if not configs and self.key in PROVIDERS:
            configs = (HostConfig(host_pattern=urlsplit(PROVIDERS[self.key]).hostname or ""),)
        return next((one for one in configs if one.is_for(address)), None)
