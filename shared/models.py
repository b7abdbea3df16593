"""The documents of the store. Times are integer microseconds since 1970 in UTC; what is not known is None, never 0.

Every key begins with the workspace: run ids come from clients, and two tenants may use the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.job_config import NONE_OF_THESE as NONE_OF_THESE
from shared.job_config import JobConfig

FEW = 8  # items: fewer are shown as a list, since they make no categories
DEFAULT_WORKSPACE = "00000000-0000-0000-0000-000000000001"


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Project(Document):
    """What runs belong to; LangSmith's API calls it a session."""

    workspace_id: str
    id: str
    name: str
    created_at: int
    source: dict[str, Any] = Field(default_factory=dict, description="what `insights analyze` remembers of its file")
    description: str | None = None
    extra: dict[str, Any] | None = Field(default=None, description="the client's own, with its `metadata`")
    end_time: int | None = None


class Feedback(Document):
    """The feedback of one key on one run: how many, and the mean of the scores (None where none is a number)."""

    n: int
    avg: float | None = None


class Run(Document):
    """One span of a trace, without its bodies: what is filtered, counted and shown. A root run has no parent."""

    workspace_id: str
    id: str
    project_id: str
    trace_id: str
    parent_run_id: str | None = None
    dotted_order: str | None = None
    thread_id: str | None = None
    source_id: str | None = Field(default=None, description="the source's own id, where that is not a UUID")
    name: str = ""
    run_type: str = "chain"
    start_time: int | None = None
    end_time: int | None = None
    status: Literal["success", "error", "pending"] | None = Field(
        default="success", description="pending: not ended; None: ended, and the source does not say how"
    )
    error: str | None = Field(default=None, description="first line, at most 500 characters; the whole is a body")
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_cost: float | None = Field(default=None, description="dollars")
    completion_cost: float | None = None
    total_cost: float | None = None
    prompt_token_details: dict[str, float] = Field(default_factory=dict, description="tokens by kind: cache_read, …")
    completion_token_details: dict[str, float] = Field(default_factory=dict)
    prompt_cost_details: dict[str, float] = Field(default_factory=dict, description="dollars by kind")
    completion_cost_details: dict[str, float] = Field(default_factory=dict)
    priced: bool = Field(default=False, description="the costs are list prices times tokens, and nobody sent them")
    first_token_time: int | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict, description="may hold NaN, lone surrogates, big integers")
    feedback: dict[str, Feedback] = Field(default_factory=dict, description="see `shared/feedback_stats.py`")
    told_feedback: dict[str, Feedback] | None = Field(
        default=None, description="what its source told, where `feedback` is more than that"
    )
    received_at: int

    @property
    def latency(self) -> float | None:
        """Seconds from start to end."""
        if self.start_time is None or self.end_time is None:
            return None
        return (self.end_time - self.start_time) / 1_000_000


BodyPart = Literal["inputs", "outputs", "extra", "error", "events", "serialized"]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run with its bodies: each part is opaque bytes (`shared/bodies.py` makes and reads them).

    `version` is another after each write, and None where nothing is stored: see `Store.merge_runs`.
    """

    run: Run
    bodies: Mapping[BodyPart, bytes] = field(default_factory=dict)
    version: str | None = None


class Attachment(Document):
    """A file that came with a run. `name` and `mime_type` are what its client says."""

    workspace_id: str
    run_id: str
    name: str
    mime_type: str
    size: int = Field(description="bytes")


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    attachment: Attachment
    body: bytes


class JobState(StrEnum):
    """A job moves down this list, by compare-and-set; `error` may come from any state but `success`."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    CATEGORIZED = "categorized"
    SUCCESS = "success"
    ERROR = "error"


class Job(Document):
    """One request for a report. `config`, `window_*` and `received_before` never change once it is stored."""

    workspace_id: str
    id: str
    project_id: str
    name: str
    created_at: int
    config: JobConfig
    window_start: int | None = None
    window_end: int | None = None
    received_before: int
    answers_in: str | None = Field(default=None, description="workspace whose kept answers it shares; None: its own")
    state: JobState = JobState.QUEUED
    error: str | None = None
    announced: bool = Field(default=False, description="False until job.requested was published: the outbox")
    requested: int | None = Field(default=None, description="items asked for; None for all")
    matched: int | None = Field(default=None, description="finished items in the window that the filter lets through")
    unfinished: int | None = Field(default=None, description="runs that were left out because they had not ended")
    sampled: int | None = None
    fence: int | None = Field(default=None, description="the report that counts")
    ended_at: int | None = None
    config_id: str | None = Field(default=None, description="the saved configuration that it was made from")
    decisions: tuple[str, ...] = Field(default=(), description="what was decided for it when it was made, and why")
    shape: dict[str, int] = Field(default_factory=dict, description="items by name of the top category, at its end")


class SavedConfig(Document):
    """A configuration of jobs under a name. `config` is what a client sent, by LangSmith's names."""

    workspace_id: str
    id: str
    project_id: str
    name: str
    description: str | None = None
    schedule_cron: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    created_at: int
    version: int = Field(default=1, description="one more with each change")


class ItemState(StrEnum):
    """An item moves down this list, by compare-and-set; the last three are final."""

    PENDING = "pending"
    RELEASED = "released"
    SUMMARIZED = "summarized"
    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "left_out"

    @property
    def final(self) -> bool:
        return self in FINAL


FINAL = (ItemState.DONE, ItemState.FAILED, ItemState.LEFT_OUT)
OPEN = (ItemState.PENDING, ItemState.RELEASED, ItemState.SUMMARIZED)


class Conduct(Document):
    """How a conversation went, counted and not judged. None: there was nothing to count it in."""

    messages: int = Field(default=0, description="and results of tools, without those of the system")
    user_turns: int = 0
    answer_length: int = Field(default=0, description="characters that the assistant said")
    tool_calls: int = 0
    tool_errors: int | None = Field(default=None, description="results that are errors; None without results")
    last_result_error: bool | None = None
    repeated_calls: int = Field(default=0, description="calls of a tool with arguments that it was called with before")
    repeated_results: int | None = Field(default=None, description="results that begin as one before did")
    handed_over: bool = False
    refusal: bool | None = Field(default=None, description="the final answer declines; None without an answer")
    ends_in_question: bool | None = None
    out_of_budget: bool = Field(default=False, description="the end says that steps, turns or time ran out")


class Facts(Document):
    """What the figures need of an item. A thread's tokens, costs and latencies are sums over its traces."""

    error: bool | None = None
    latency: float | None = Field(default=None, description="seconds")
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    total_cost: float | None = Field(default=None, description="dollars")
    feedback: dict[str, float] = Field(default_factory=dict, description="mean score by key")
    conduct: Conduct | None = None


class Item(Document):
    """What is summarised: a trace, or a thread of traces, latest last.

    `id` is the trace's id, or a uuid5 of the thread's; items are sorted and seeded by it.
    """

    workspace_id: str
    job_id: str
    id: str
    run_ids: tuple[str, ...]
    thread_id: str | None = None
    source_id: str | None = None
    state: ItemState = ItemState.PENDING
    reason: str | None = Field(default=None, description="why it failed or was left out")
    content_hash: str | None = None
    summary: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    draft: dict[str, Any] | None = Field(default=None, description="attributes as the call of the summary left them")
    unknown: dict[str, str] = Field(default_factory=dict, description="attribute → why a model could not tell it")
    quotes: tuple[str, ...] = Field(default=(), description="what the model quoted and the trace does say")
    quotes_dropped: int = Field(default=0, description="what it quoted and the trace does not say")
    unread: float = Field(default=0.0, description="share of the trace that was too long for the model's prompt")
    facts: Facts = Facts()
    features: bytes = Field(default=b"", description="what the categorizer needs, with a version in front")
    leaf: str | None = Field(default=None, description="the cluster of level 0")
    path: tuple[str, ...] = Field(default=(), description="cluster ids from leaf to top")
    place: int | None = Field(default=None, description="0, 1, …: its place in the report, category by category")
    confidence: float | None = None
    unusual: bool = Field(default=False, description="one of the few that are unlike all others")
    effort: float | None = Field(default=None, description="0..1: rank in the sample by length, repetition and errors")


class Cluster(Document):
    """A category (level 1) or subcategory (level 0, the most specific). `num_runs` of a parent covers its children."""

    id: str
    parent_id: str | None = None
    level: int
    name: str
    description: str
    parent_name: str | None = None
    num_runs: int
    stats: dict[str, Any] = Field(default_factory=dict)


class HighlightedTrace(Document):
    run_id: str
    rank: int
    highlight_reason: str
    cluster_id: str | None = None
    cluster_name: str | None = None
    summary: str | None = None


class Report(Document):
    """What the categorizer (clusters) and the aggregator (all else) found, stored under the job and a fence."""

    workspace_id: str
    job_id: str
    fence: int
    clusters: tuple[Cluster, ...]
    stats: dict[str, Any] = Field(default_factory=dict, description="the figures of the whole sample")
    title: str | None = None
    key_points: tuple[str, ...] = ()
    highlighted_traces: tuple[HighlightedTrace, ...] = ()
    coverage: dict[str, Any] = Field(default_factory=dict)
    trust: dict[str, Any] = Field(default_factory=dict, description="what the categorizer found out about its own work")
    notes: tuple[str, ...] = Field(default=(), description="what the reader must know to trust this report")


class Plan(Document):
    """What prepare_job found out for every item of the job: frozen, bounded, read by each summarizer once."""

    workspace_id: str
    job_id: str
    documents: int = Field(default=0, description="how many items were looked at for `common`")
    common: dict[str, float] = Field(default_factory=dict, description="hash of a sentence → share of items with it")


class Stage(StrEnum):
    """What of a job asks a model. The names stand in the cache, in the bill and in the report."""

    SUMMARIES = "summaries"
    ATTRIBUTES = "attributes"
    VECTORS = "vectors"
    CATEGORIES = "categories"
    FINDINGS = "findings"


class Spending(Document):
    """What one stage of a job took of one model."""

    stage: Stage
    model: str
    calls: int = 0
    kept: int = Field(default=0, description="answers in the cache that another job had paid")
    input: int = Field(default=0, description="tokens, with the cached ones")
    cached: int = Field(default=0, description="tokens that the endpoint had read before")
    output: int = 0
    estimated: bool = Field(default=False, description="whether tokens of any call are estimated, not reported")
    cut: int = Field(default=0, description="calls beside `calls` that were cut off: nobody knows what they took")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an item lies: cluster ids from leaf to top. `place`: see Item."""

    item_id: str
    path: tuple[str, ...]
    confidence: float
    unusual: bool = False
    effort: float | None = None
    place: int | None = None
