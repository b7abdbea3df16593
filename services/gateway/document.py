"""The API's OpenAPI document: what FastAPI knows of the routes, and the bodies that these read and write themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from fastapi import FastAPI
from pydantic import BaseModel, Field, TypeAdapter, create_model
from pydantic.json_schema import JsonSchemaMode

from services.gateway import answers
from services.gateway.configs import ConfigCreate, ConfigUpdate
from services.gateway.jobs import Rename
from services.gateway.keys import KeyCreate
from services.gateway.projects import ProjectChange, ProjectCreate
from services.gateway.queries import RunsQuery
from services.gateway.secrets import NamedSecret, SecretUpdate
from services.gateway.v2 import V2Query
from shared.job_config import JobConfig

REFERENCES = "#/components/schemas/{model}"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
ANY: dict[str, Any] = {"schema": {}}
Schema = dict[str, Any]


class Run(BaseModel):
    """As LangSmith's clients send it; what is sent later is put to what is there."""

    id: str
    name: str | None = None
    run_type: str | None = None
    trace_id: str | None = None
    parent_run_id: str | None = None
    dotted_order: str | None = None
    session_name: str | None = None
    session_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    inputs: Any = None
    outputs: Any = None
    error: str | None = None
    extra: Any = None
    events: Any = None
    tags: list[str] | None = None


class RunPatch(Run):
    id: str | None = None  # type: ignore[assignment]


class Batch(BaseModel):
    post: list[Run] = []
    patch: list[Run] = []


class Parts(BaseModel):
    """Parts are `post.ID`, `patch.ID`, `post.ID.inputs` and so on, `feedback.ID`, `attachment.ID.NAME`."""


class FeedbackUpdate(BaseModel):
    """What is left out stays; null clears."""

    score: float | bool | None = None
    value: Any = None
    comment: str | None = None
    correction: Any = None


class FeedbackCreate(FeedbackUpdate):
    """`run_id`, or `session_id` for a whole project."""

    key: str
    id: str | None = None
    run_id: str | None = None
    session_id: str | None = None
    feedback_source: dict[str, Any] | None = None


class Guided(BaseModel):
    user_context: dict[str, str] = Field(description="questions and answers")
    model: Literal["openai", "anthropic"] | None = None


class _Job(BaseModel):
    config_id: str | None = Field(default=None, description="a saved configuration, on which the other fields lie")
    model: Literal["openai", "anthropic"] | None = Field(default=None, description="a provider")
    user_context: dict[str, str] | None = Field(default=None, description="questions and answers, to draft a job from")


JobCreate = create_model(
    "JobCreate",
    __base__=_Job,
    __doc__="Every field may be left out or null.",
    **cast(Any, {name: (field.annotation | None, None) for name, field in JobConfig.model_fields.items()}),  # type: ignore[operator]
)


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a route takes, gives and says where it fails: types, or contents by their media types if not JSON."""

    takes: Any = None
    gives: Any = None
    fails: Any = None
    takes_media: str = JSON
    gives_media: str = JSON


INSIGHTS = "/sessions/{project_id}/insights"
ROUTES: dict[tuple[str, str], Bodies] = {
    ("get", "/info"): Bodies(gives=answers.Info),
    ("get", "/metrics"): Bodies(gives_media="text/plain"),
    ("get", "/sessions"): Bodies(gives=list[answers.Project]),
    ("post", "/sessions"): Bodies(ProjectCreate, answers.Project),
    ("get", "/sessions/{project_id}"): Bodies(gives=answers.Project),
    ("patch", "/sessions/{project_id}"): Bodies(ProjectChange, answers.Project),
    ("delete", "/sessions/{project_id}"): Bodies(gives=answers.Deleted),
    ("post", "/runs"): Bodies(Run, answers.Kept),
    ("patch", "/runs/{run_id}"): Bodies(RunPatch, answers.Kept),
    ("post", "/runs/batch"): Bodies(Batch, answers.Kept),
    ("post", "/runs/multipart"): Bodies(Parts, answers.Kept, takes_media="multipart/form-data"),
    ("post", "/otel/v1/traces"): Bodies(dict[str, Any], dict[str, Any], answers.Error | answers.SpansRefused),
    ("get", "/runs/{run_id}"): Bodies(gives=answers.SelectedRun),
    ("post", "/runs/query"): Bodies(RunsQuery, answers.RunsPage),
    ("post", "/runs/stats"): Bodies(RunsQuery, answers.Stats),
    ("post", "/feedback"): Bodies(FeedbackCreate, answers.Feedback),
    ("get", "/feedback"): Bodies(gives=list[answers.Feedback]),
    ("get", "/feedback/{feedback_id}"): Bodies(gives=answers.Feedback),
    ("patch", "/feedback/{feedback_id}"): Bodies(FeedbackUpdate, answers.Feedback),
    ("delete", "/feedback/{feedback_id}"): Bodies(gives=answers.Deleted),
    ("get", "/attachments/{run_id}"): Bodies(gives_media="*/*"),
    ("post", INSIGHTS): Bodies(JobCreate, answers.JobCreated),
    ("get", INSIGHTS): Bodies(gives=answers.JobList),
    ("get", f"{INSIGHTS}/{{job_id}}"): Bodies(gives=answers.JobDetail),
    ("patch", f"{INSIGHTS}/{{job_id}}"): Bodies(Rename, answers.JobRenamed),
    ("delete", f"{INSIGHTS}/{{job_id}}"): Bodies(gives=answers.Deleted),
    ("post", f"{INSIGHTS}/{{job_id}}/cancel"): Bodies(gives=answers.JobCreated),
    ("get", f"{INSIGHTS}/{{job_id}}/runs"): Bodies(gives=answers.JobRuns),
    ("get", f"{INSIGHTS}/{{job_id}}/clusters/{{cluster_id}}"): Bodies(gives=answers.ClusterAlone),
    ("get", f"{INSIGHTS}/{{job_id}}/events"): Bodies(gives_media="text/event-stream"),
    ("post", f"{INSIGHTS}/count"): Bodies(JobCreate, answers.Counted | answers.CountedAtLeast),
    ("post", f"{INSIGHTS}/estimate"): Bodies(JobCreate, answers.Estimated),
    ("post", f"{INSIGHTS}/preview"): Bodies(JobCreate, answers.Previewed),
    ("get", f"{INSIGHTS}/configs"): Bodies(gives=answers.ConfigList),
    ("post", f"{INSIGHTS}/configs"): Bodies(ConfigCreate, answers.Config),
    ("patch", f"{INSIGHTS}/configs/{{config_id}}"): Bodies(ConfigUpdate, answers.Config),
    ("delete", f"{INSIGHTS}/configs/{{config_id}}"): Bodies(gives=answers.Deleted),
    ("post", f"{INSIGHTS}/configs/generate"): Bodies(Guided, answers.DraftedConfig),
    ("get", "/workspaces/current/secrets"): Bodies(gives=list[answers.SecretNamed]),
    ("post", "/workspaces/current/secrets"): Bodies(list[NamedSecret], list[answers.SecretNamed]),
    ("put", "/workspaces/current/secrets/{key}"): Bodies(SecretUpdate, answers.SecretNamed),
    ("delete", "/workspaces/current/secrets/{key}"): Bodies(gives=answers.SecretDeleted),
    ("get", "/api-key"): Bodies(gives=list[answers.Key]),
    ("post", "/api-key"): Bodies(KeyCreate, answers.NewKey),
    ("delete", "/api-key/{api_key_id}"): Bodies(gives=answers.Deleted),
    ("post", "/api/v2/runs/query"): Bodies(V2Query, answers.ItemsPage),
    ("post", "/api/v2/traces/query"): Bodies(V2Query, answers.ItemsPage),
    ("post", "/api/v2/threads/query"): Bodies(V2Query, answers.ItemsPage),
}
PUBLIC = ("/info", "/attachments/{run_id}")
KEYS = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


class Documented(FastAPI):
    """Its document has each route once, for one of the prefixes, which are its `servers`."""

    def openapi(self) -> Schema:
        if not self.openapi_schema:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(document: Schema) -> Schema:
    schemas, known = _schemas()
    refusal = _content({"$ref": REFERENCES.format(model="Error")})
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = ROUTES.get((method, path), Bodies())
            newer = "v2_" if path.startswith("/api/v2") else ""
            operation["operationId"] = newer + operation["summary"].lower().replace(" ", "_")
            _complete(operation, bodies, schemas.get((method, path), {}))
            told = _content(schemas.get((method, path), {}).get("fails"), PROTOBUF) or refusal
            operation["responses"] |= {"4XX": told, "5XX": told}
            operation["security"] = [] if path in PUBLIC else [{"key": []}, {"bearer": []}, {}]
        if path.startswith("/api/"):  # v2, which is under no prefix
            operations["servers"] = [{"url": "/"}]
    document["components"] = {"schemas": known, "securitySchemes": KEYS}
    return document


def _content(schema: Schema | None, *other_media: str) -> Schema | None:
    others = dict.fromkeys(other_media, ANY)
    return schema and {"description": "What to do", "content": {JSON: {"schema": schema}, **others}}


def _complete(operation: Schema, bodies: Bodies, found: dict[str, Schema]) -> None:
    if bodies.takes is not None:
        operation["requestBody"] = {"content": {bodies.takes_media: {"schema": found["takes"]}}}
    responses = operation["responses"]
    responses.pop("422", None)  # one of 4XX
    for response in responses.values():
        response["content"] = {bodies.gives_media: {"schema": found["gives"]} if "gives" in found else ANY}


def _schemas() -> tuple[dict[tuple[str, str], dict[str, Schema]], Schema]:
    """Those of each route's bodies, and what these refer to."""
    wanted = [*_wanted(), ((("", ""), "error"), "validation", TypeAdapter[Any](answers.Error))]
    found, definitions = TypeAdapter.json_schemas(cast(Any, wanted), ref_template=REFERENCES)
    routes: dict[tuple[str, str], dict[str, Schema]] = {}
    for (key, _), schema in found.items():
        place, side = cast(Any, key)
        routes.setdefault(place, {})[side] = schema
    return routes, definitions["$defs"]


def _wanted() -> Iterator[tuple[tuple[tuple[str, str], str], JsonSchemaMode, TypeAdapter[Any]]]:
    for place, bodies in ROUTES.items():
        for side, kind in (("takes", bodies.takes), ("gives", bodies.gives), ("fails", bodies.fails)):
            if kind is not None:
                yield (place, side), "validation", TypeAdapter(kind)
