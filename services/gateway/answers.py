"""What the routes answer, for the API's document. Clients must bear fields beside these: a later version adds some."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from services.gateway.bodies import When
from shared.access import Role
from shared.secrets import HostConfig

Status = Literal["queued", "running", "success", "error"]


class Error(BaseModel):
    detail: str | list[JsonValue] = Field(description="what to do; a list where a parameter of the address is wrong")


class SpansRefused(BaseModel):
    """google.rpc.Status, as exporters of OpenTelemetry read it."""

    code: int
    message: str


class Info(BaseModel):
    version: str = Field(description="of LangSmith's API")
    batch_ingest_config: dict[str, bool | int]
    instance_flags: dict[str, bool]


class Told(BaseModel):
    message: str


class Deleted(Told):
    id: UUID


class SecretDeleted(Told):
    key: str


class Kept(BaseModel):
    runs: int
    refused: int = Field(description="parts that could not be kept")
    reasons: list[str] = Field(description="of the first of them")


class Stats(BaseModel):
    """Unknown figures are null."""

    run_count: int
    latency_p50: float | None = Field(description="seconds")
    latency_p99: float | None
    first_token_p50: float | None
    first_token_p99: float | None
    total_tokens: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_cost: float | None = Field(description="dollars")
    prompt_cost: float | None
    completion_cost: float | None
    error_rate: float | None = Field(ge=0, le=1)
    streaming_rate: float | None
    last_run_start_time: When | None
    feedback_stats: dict[str, dict[str, float | None]]
    complete: bool = Field(description="whether all runs were looked at, or only the newest")


class Project(BaseModel):
    """With include_stats also the fields of Stats."""

    id: UUID
    tenant_id: str
    reference_dataset_id: None
    name: str
    description: str | None
    extra: dict[str, Any] | None
    start_time: When
    end_time: When | None


class SelectedRun(BaseModel):
    """A run with the fields that were asked for."""

    id: UUID
    trace_id: UUID
    session_id: UUID
    name: str
    run_type: str
    start_time: When
    end_time: When | None = None
    status: str | None = None
    error: str | None = None
    inputs: Any = None
    outputs: Any = None
    extra: Any = None
    events: Any = None
    parent_run_id: UUID | None = None
    thread_id: str | None = None
    tags: list[str] = []
    total_tokens: int | None = None
    total_cost: float | None = None


class Cursors(BaseModel):
    next: str | None
    prev: None


class RunsPage(BaseModel):
    runs: list[SelectedRun]
    cursors: Cursors


class ItemsPage(BaseModel):
    items: list[dict[str, Any]]
    next_cursor: str | None


class JobCreated(BaseModel):
    id: UUID
    name: str
    status: Status
    error: str | None


class JobRenamed(BaseModel):
    name: str
    status: Status


class Job(JobCreated):
    created_at: When
    start_time: When | None = Field(description="of the traces looked at, as end_time")
    end_time: When | None
    shape: dict[str, int] | None = Field(description="traces by category")
    config_id: UUID | None
    metadata: dict[str, Any] = Field(description="engine, models, unit, decisions, config")


class JobList(BaseModel):
    clustering_jobs: list[Job]


class ReadCluster(BaseModel):
    id: UUID
    parent_id: UUID | None
    level: int = Field(description="0 is the most specific")
    name: str
    description: str


class Cluster(ReadCluster):
    parent_name: str | None
    num_runs: int
    stats: dict[str, Any] | None


class ClusterAlone(ReadCluster):
    num_children: int


class Highlight(BaseModel):
    run_id: UUID
    rank: int
    highlight_reason: str
    cluster_id: UUID | None
    cluster_name: str | None
    summary: str | None


class Report(BaseModel):
    title: str | None
    key_points: list[str]
    highlighted_traces: list[Highlight]
    created_at: When | None


class JobDetail(Job):
    clusters: list[Cluster]
    report: Report | None
    coverage: dict[str, Any] | None
    notes: list[str]
    stats: dict[str, Any] | None


class JobRuns(BaseModel):
    runs: list[dict[str, Any]]
    offset: int | None = Field(description="of the next page")


class Config(BaseModel):
    id: UUID
    name: str
    description: str | None
    schedule_cron: str | None
    prebuilt: bool
    config: dict[str, Any]


class ConfigList(BaseModel):
    configs: list[Config]


class DraftedConfig(BaseModel):
    name: str | None = None
    summary_prompt: str
    attribute_schemas: dict[str, Any] | None = None
    how: str


class Counted(BaseModel):
    count: int


class CountedAtLeast(BaseModel):
    at_least: int
    looked_at: int


class Stage(BaseModel):
    stage: str
    model: str
    calls: int
    kept: int = Field(description="calls whose answer is known already")
    input_tokens: int
    output_tokens: int
    cost: float | None


class Estimated(BaseModel):
    engine: str
    decisions: list[str]
    items: int
    looked_at: int
    cost: float | None = Field(description="dollars; null where a price is unknown")
    worst: float | None
    needed_budget: float | None
    stages: list[Stage]


class Previewed(BaseModel):
    engine: str
    items: int
    calls: list[dict[str, Any]]
    schemas: dict[str, Any]


class SecretNamed(BaseModel):
    """Never its value."""

    key: str
    configs: list[HostConfig] | None = None


class Feedback(BaseModel):
    id: UUID
    key: str
    run_id: UUID | None
    trace_id: UUID | None
    session_id: UUID | None
    score: float | bool | None
    value: Any
    comment: str | None
    correction: Any
    feedback_source: dict[str, Any]
    created_at: When
    modified_at: When


class Key(BaseModel):
    id: UUID
    short_key: str
    description: str
    role: Role
    read_only: bool
    created_at: When
    last_used_at: When | None


class NewKey(Key):
    key: str = Field(description="shown once")
