"""Every event, in the order in which it flows. Start here.

    gateway, or any program
      job.requested    → summarizer.prepare_job                   sample, items, corpus statistics
      item.sampled     → summarizer.summarize_item                released a few at a time
      item.summarized  → attribute_extractor.extract_attributes
      item.ended       → categorizer.check_job                    has the job's last item ended?
      job.ready        → categorizer.categorize_job               cluster and name; one owner by lease
      job.categorized  → aggregator.report_job                    the figures of each category
      job.reported     → any program                              status success or error

A handler is in `services/<service>/handlers.py`; `docs/flow.md` follows one trace along them. Events carry ids and
small facts; bodies are in the store (`shared/store`). An event may come twice. Fields that a reader does not know are
ignored, and fields are only ever added, so that old and new processes run side by side.
"""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """What every event has. `topic` is `insights.` and the event's name; `key` decides its partition."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]

    workspace_id: str = Field(max_length=64)
    job_id: str = Field(max_length=64)

    @property
    def key(self) -> str:
        return self.job_id


class ItemEvent(Event):
    """An event of one item: a trace, or a thread of traces."""

    item_id: str = Field(max_length=64)

    @property
    def key(self) -> str:
        return self.item_id


class JobRequested(Event):
    """Someone wants a report: from the gateway, `insights analyze` or any program, to summarizer.prepare_job.

    A program that publishes it without a job in the store gives `project` (name or id) and `config`, which is
    validated as strictly as `job.yaml`. One that is refused is a dead letter, and is answered with job.reported.
    """

    topic = "insights.job.requested"

    project: str | None = Field(default=None, max_length=255)
    config: dict[str, Any] | None = None
    api_key_id: str | None = Field(default=None, max_length=64)


class ItemSampled(ItemEvent):
    """An item may now be worked on: from the summarizer's releaser to summarizer.summarize_item."""

    topic = "insights.item.sampled"


class ItemSummarized(ItemEvent):
    """An item's summary is stored: from summarizer.summarize_item to attribute_extractor.extract_attributes."""

    topic = "insights.item.summarized"


class ItemEnded(Event):
    """An item reached its final state: from whoever ended it (`shared/ending.py`) to categorizer.check_job.

    It is about its job, not its item: one that dies ends the job.
    """

    topic = "insights.item.ended"

    item_id: str = Field(max_length=64)


class JobReady(Event):
    """Every item of the job has ended: from categorizer.check_job to categorizer.categorize_job."""

    topic = "insights.job.ready"


class JobCategorized(Event):
    """Categories are stored under this fence: from categorizer.categorize_job to aggregator.report_job."""

    topic = "insights.job.categorized"

    fence: int


class JobReported(Event):
    """The job is over: from aggregator.report_job, or whoever ended it in error, to any program."""

    topic = "insights.job.reported"

    status: Literal["success", "error"]
    error: str | None = None


class DeadLetter(BaseModel):
    """What could not be handled, for operators: from `shared/bus/delivery.py`; no service reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str] = "insights.dead"

    group: str
    source: str
    reason: str
    attempts: int
    workspace_id: str | None = None
    job_id: str | None = None
    item_id: str | None = None
    body: str = Field(description="the event as it came, at most 10,000 characters, invalid UTF-8 replaced")

    @property
    def key(self) -> str:
        return self.job_id or self.source


EVENTS: tuple[type[Event], ...] = (
    JobRequested,
    ItemSampled,
    ItemSummarized,
    ItemEnded,
    JobReady,
    JobCategorized,
    JobReported,
)
TOPICS: tuple[str, ...] = (*(event.topic for event in EVENTS), DeadLetter.topic)
