"""What is set from outside: every INSIGHTS_ variable, and OpenAI's key and URL, read once at start and nowhere else."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.embedding import Precision
from shared.errors import UsageError
from shared.vault import vault_keys

PREFIX = "INSIGHTS_"
TEST_PREFIX = "INSIGHTS_TEST_"
INGEST_BYTES = 128 * 1024 * 1024  # the least: one body as it comes, and the same decoded
SECRET = ("model_headers", "secrets_key", "api_key")
BUS = re.compile(r"local|kafka://[^\s/:,@]+:\d{1,5}(,[^\s/:,@]+:\d{1,5})*")
STORE = re.compile(r"sqlite:///.+|mongodb(\+srv)?://[^\s/]+/[^\s/?]+(\?\S*)?")


def _bus(value: str) -> str:
    if not BUS.fullmatch(value):
        raise ValueError("expected local, or kafka://host:port[,host:port]")
    return value


def _store(value: str) -> str:
    if not STORE.fullmatch(value):
        raise ValueError("expected sqlite:///path/insights.db, or mongodb://host:port/database")
    return value


def _in_steps(value: float) -> float:
    """FastStream counts its time-outs in whole steps of 10 ms."""
    if abs(value * 100 - round(value * 100)) > 1e-6:
        raise ValueError("expected seconds in steps of 0.01")
    return value


def _headers(value: Any) -> Any:
    """Of JSON in a variable. Nothing of the value is shown, since it may hold a key."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str | SecretStr) for one in found.values()):
        raise ValueError('expected JSON such as {"X-Team": "a", "X-Key": "b"}')
    return found


def _listed(value: Any) -> Any:
    """Of a variable with commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _vault_keys(value: SecretStr) -> SecretStr:
    vault_keys(value.get_secret_value())
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Positive = Annotated[int, Field(ge=1)]
Headers = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_headers)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """The settings of one process. `load` reads them from the environment; arguments are for tests and options."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    bus: Annotated[str, AfterValidator(_bus)] = Field(default="local", description="local, or kafka://host:port,…")
    store: Annotated[str, AfterValidator(_store)] | None = Field(default=None, description="sqlite:/// or mongodb://")
    slots: Positive = Field(default=200, description="events in work at once in a windowed route")
    in_flight: Positive = Field(default=400, description="items of a job released at once; 2 * slots if not set")
    partitions: Positive = Field(default=12, description="of each topic that `insights topics create` makes")
    replication: Positive = Field(default=1, description="copies of each such topic")
    session_timeout: Annotated[Seconds, AfterValidator(_in_steps)] = Field(
        default=45.0, description="seconds, in steps of 10 ms, after which a silent consumer is taken for gone"
    )
    host: str = Field(default="127.0.0.1", description="where HTTP is served")
    port: int = Field(default=8000, ge=0, le=65_535, description="0 for any free one")
    ingest_bytes: Annotated[int, Field(ge=INGEST_BYTES)] = Field(
        default=256 * 1024 * 1024, description="bytes of runs that one gateway takes in at once; beyond it answers 429"
    )
    data: Path | None = Field(default=None, description="folder of the local files; the user's own if not set")
    embedding: Precision = Field(default="auto", description="precision of the vectors; none for words alone")
    cache: Path | None = Field(default=None, description="folder of what can be made again; the user's own if not set")
    model_concurrency: Positive = Field(default=32, description="calls to a model at once, to begin with")
    model_timeout: Seconds = Field(default=120.0, description="seconds of one call to a model")
    model_patience: Seconds = Field(default=3_600.0, description="that a job waits for a model that does not answer")
    model_headers: Headers = Field(default={}, description="headers of each call to a model, as JSON")
    prices: Path | None = Field(default=None, description="file of prices beside shared/llm/prices.yaml")
    insecure: bool = Field(default=False, description="serve without API keys on any address")
    local_only: bool = Field(
        default=False,
        description="no other machine reaches `host`, as in docker-compose.yml: no key is needed to start",
    )
    api_key: SecretStr | None = Field(default=None, description="that `insights import` sends to a gateway")
    secrets_key: Annotated[SecretStr, AfterValidator(_vault_keys)] | None = Field(
        default=None, description="keys that seal stored secrets, with commas: the first seals, each opens"
    )
    rate: Positive = Field(default=60_000, description="requests a minute of one API key, at one gateway")
    request_bytes: Positive = Field(default=256 * 1024 * 1024, description="of one request's body")
    request_seconds: Seconds = Field(default=120.0, description="until a request's answer begins")
    cors_origins: Names = Field(default=(), description="sites whose pages may ask the gateway, with commas; none")
    private_hosts: Names = Field(default=(), description="hosts of a job's `base_url` that may have private addresses")
    max_sample: Positive = Field(default=1_000, description="traces of a job that is asked for over HTTP, at most")
    lease_seconds: Seconds = 30.0
    sweep_seconds: Seconds = 30.0
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(_upper),
    ] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _in_flight_follows_slots(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Twice the slots, unless it is set; slots that are no number are left to their own check."""
        slots = str(values.get("slots", 200))
        if values.get("in_flight") is None and slots.isdigit():
            return {**values, "in_flight": 2 * int(slots)}
        return values

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment: no .env file and no folder of secrets."""
        return init_settings, env_settings

    @classmethod
    def load(cls, **options: Any) -> Self:
        """From those `options` that are not None, then the environment. UsageError names what is wrong."""
        _refuse_unknown(os.environ, list(cls.model_fields))
        try:
            return cls(**{name: value for name, value in options.items() if value is not None})
        except ValidationError as error:
            raise UsageError(_sentence(error)) from None  # the cause would show what is masked here


class OpenAISettings(BaseSettings):
    """What users of OpenAI's own client have set: OPENAI_API_KEY, OPENAI_BASE_URL. By itself it changes nothing."""

    model_config = SettingsConfigDict(env_prefix="OPENAI_", frozen=True, env_ignore_empty=True)

    api_key: SecretStr | None = None
    base_url: str | None = None


def key_in(variable: str) -> SecretStr:
    """The key that a variable of the user's choice holds. UsageError where it holds none."""
    if not (value := os.environ.get(variable, "").strip()):
        raise UsageError(f"{variable} is not set: put the key of the model's endpoint into it.")
    return SecretStr(value)


def mask(url: str) -> str:
    """The URL without user, password and query, for a person or a log."""
    address, query, _ = url.partition("?")
    scheme, separator, _ = address.partition("://")
    if "@" in address:
        start = f"{scheme}://" if separator else ""
        address = f"{start}***@{address.rpartition('@')[2]}"
    return f"{address}?***" if query else address


def _refuse_unknown(environment: Mapping[str, str], names: Sequence[str]) -> None:
    """UsageError for an INSIGHTS_ variable that is no setting: a misspelt one would have no effect, unnoticed."""
    known = [f"{PREFIX}{name.upper()}" for name in names]
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX) or variable in known:
            continue
        near = get_close_matches(variable.removeprefix(PREFIX).lower(), names, n=1)
        hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else f"known are {', '.join(known)}."
        raise UsageError(f"{variable} is not a setting: {hint}")


def _sentence(error: ValidationError) -> str:
    """What is wrong, a line for each variable, with the value that was given unless it is a secret."""
    lines = []
    for detail in error.errors(include_url=False, include_context=False):
        name = "_".join(str(part) for part in detail["loc"]).upper()
        given = "wrong (its value is not shown)" if detail["loc"][0] in SECRET else repr(mask(str(detail["input"])))
        message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        lines.append(f"{PREFIX}{name} is {given}: {message}.")
    return "\n".join(lines)
