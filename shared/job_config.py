"""What a user may ask of a job: one model for `job.yaml`, `job.requested`, the HTTP API and the command line's options.

Names are those of LangSmith's JobCreate where it has them. A file and an event refuse unknown keys by name
(`JobConfig.strict`), the HTTP API ignores them, as LangSmith's clients need.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from shared.errors import UsageError

AttributeName = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=80)]
CategoryName = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]

ExampleText = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
ModelName = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=200)]
DEFAULT_MODEL = "gpt-5-mini"
NONE_OF_THESE = "None of these"  # the category of what fits none of the given ones


class AttributeSchema(BaseModel):
    """One attribute that is extracted from every trace."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["string", "number", "boolean"]
    description: str = Field(default="", max_length=2_000)
    enum: tuple[Annotated[str, StringConstraints(max_length=200)], ...] | None = Field(default=None, max_length=100)
    filter_by: bool = False

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.enum is not None and self.type != "string":
            raise ValueError("`enum` needs type string")
        if self.filter_by and self.type != "boolean":
            raise ValueError("`filter_by` needs type boolean")
        return self


class JobConfig(BaseModel):
    """The configuration of a job; every field may be left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = Field(default=None, max_length=255)
    sample: int | Literal["all"] = Field(default="all")
    filter: str | None = Field(default=None, max_length=20_000)
    last_n_hours: float | None = Field(default=None, gt=0, le=24 * 366 * 10)
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None
    summary_prompt: str | None = Field(default=None, max_length=50_000)
    attribute_schemas: dict[AttributeName, AttributeSchema] = Field(default_factory=dict, max_length=50)
    partitions: dict[CategoryName, Annotated[str, StringConstraints(max_length=2_000)]] = Field(
        default_factory=dict, max_length=10
    )
    partition_examples: dict[CategoryName, Annotated[tuple[ExampleText, ...], Field(max_length=100)]] = Field(
        default_factory=dict, max_length=10
    )
    hierarchy: tuple[int | None, int | None] = (None, None)
    engine: Literal["local", "model"] = "local"
    summary_model: ModelName = DEFAULT_MODEL
    attribute_model: ModelName | None = None
    cluster_model: ModelName = DEFAULT_MODEL
    embedding_model: ModelName | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)
    unit: Literal["trace", "thread"] = "trace"
    budget: float | None = Field(default=None, ge=0)
    max_leaves: int = Field(default=60, ge=0, le=10_000)

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, value: Any) -> Any:
        """LangSmith's clients send every field, with null for what was not set."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.sample != "all" and self.sample < 1:
            raise ValueError("`sample` must be at least 1, or all")
        if self.last_n_hours is not None and (self.start_time or self.end_time):
            raise ValueError("`last_n_hours` excludes `start_time` and `end_time`")
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            raise ValueError("`start_time` must be before `end_time`")
        if strangers := sorted(self.partition_examples.keys() - self.partitions.keys()):
            raise ValueError(f"`partition_examples` has {', '.join(strangers)}, which `partitions` has not")
        if any(" ".join(name.split()).casefold() == NONE_OF_THESE.casefold() for name in self.partitions):
            raise ValueError(
                f"`partitions` has a category {NONE_OF_THESE!r}, which is there by itself for what fits none of yours: "
                "leave it out, or give it another name"
            )
        leaves, top = self.hierarchy
        if any(level is not None and level < 1 for level in self.hierarchy):
            raise ValueError("`hierarchy` needs numbers of at least 1, or null for automatic")
        if leaves is not None and top is not None and leaves < top:
            raise ValueError("`hierarchy` is [leaves, top]: leaves must not be fewer than top")
        return self

    @classmethod
    def strict(cls, value: Any, where: str) -> Self:
        """The configuration in `value`, or a UsageError that names `where` and each key that is unknown or wrong."""
        if not isinstance(value, Mapping):
            raise UsageError(f"{where}: expected a mapping of options, found {type(value).__name__}.")
        _refuse_unknown(value, cls, where)
        schemas = value.get("attribute_schemas")
        for name, schema in schemas.items() if isinstance(schemas, Mapping) else ():
            if isinstance(schema, Mapping):
                _refuse_unknown(schema, AttributeSchema, f"{where}, attribute {name}")
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise UsageError(f"{where}: {sentence(error)}") from error


def _refuse_unknown(value: Mapping[Any, Any], model: type[BaseModel], where: str) -> None:
    if unknown := sorted(str(key) for key in value if key not in model.model_fields):
        known = ", ".join(model.model_fields)
        raise UsageError(f"{where}: unknown option {', '.join(unknown)}. Known are: {known}.")


def sentence(error: ValidationError) -> str:
    """The findings of pydantic in one line, each with its place and without the values."""
    found = []
    for detail in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in detail["loc"])
        found.append(f"{place}: {detail['msg']}" if place else detail["msg"])
    return "; ".join(found)


def utc(value: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return round(value.timestamp() * 1_000_000)
