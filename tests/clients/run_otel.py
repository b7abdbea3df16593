"""Traces over OTLP from LangSmith's SDK in its OTel mode, and from a plain exporter; run with that client's own Python.

The environment says where to. Argument: a text that inputs and outputs hold.
"""

# mypy: allow-untyped-decorators

import sys
from typing import Any

from langsmith import traceable
from langsmith.run_trees import get_cached_client
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


@traceable(run_type="llm", metadata={"ls_model_name": "m-1"})
def model(messages: list[dict[str, str]]) -> dict[str, object]:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    return {"role": "assistant", "content": messages[0]["content"], "usage_metadata": usage}


@traceable
def fail(question: str) -> None:
    raise ValueError(question)


@traceable(tags=["a", "b"], metadata={"thread_id": "t-1", "shape": {"deep": [1, None]}})
def answer(question: str) -> Any:
    try:
        fail(question)
    except ValueError:
        return model([{"role": "user", "content": question}])
    return {}


def by_sdk(text: str) -> None:
    client = get_cached_client()  # it makes the provider
    answer(text)
    client.flush()
    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]


def by_exporter(endpoint: str, text: str) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    exporter = OTLPSpanExporter(endpoint, headers={"Langsmith-Project": "plain"}, compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner") as inner:
        inner.set_attribute("gen_ai.operation.name", "chat")
        inner.set_attribute("gen_ai.prompt.0.role", "user")
        inner.set_attribute("gen_ai.prompt.0.content", text)
    provider.shutdown()


if __name__ == "__main__":
    by_sdk(sys.argv[2])
    by_exporter(f"{sys.argv[1]}/otel/v1/traces", sys.argv[2])
