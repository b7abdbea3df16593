"""The run_type of a span, of the first convention that says what it is."""

from collections.abc import Mapping

from shared.traces.otel.span import Span

RUN_TYPES = ("chain", "embedding", "llm", "parser", "prompt", "retriever", "tool")
_OPERATIONS = {
    "chat": "llm",
    "completion": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "embedding": "embedding",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "retrieval": "retriever",
    "create_agent": "chain",
    "invoke_agent": "chain",
    "invoke_workflow": "chain",
}
_KINDS = {name: name for name in RUN_TYPES} | {"reranker": "retriever"}
_SAID: tuple[tuple[str, Mapping[str, str], str | None], ...] = (  # the attribute, its values, what any other means
    ("langsmith.span.kind", _KINDS, "chain"),
    ("openinference.span.kind", _KINDS, "chain"),
    ("traceloop.span.kind", _KINDS, "chain"),
    ("traceloop.llm.request.type", _OPERATIONS, "llm"),
    ("llm.request.type", _OPERATIONS, "llm"),
    ("gen_ai.operation.name", _OPERATIONS, None),
)
_MARKS = (
    ("gen_ai.tool.name", "tool"),
    ("gen_ai.request.model", "llm"),
    ("llm.model_name", "llm"),
    ("embedding.model_name", "embedding"),
    ("llm.prompt_template.variables", "prompt"),
)


def run_type(span: Span) -> str:
    """`chain` where nothing is said."""
    for name, values, other in _SAID:
        if (said := span.text(name)) and (kind := values.get(said.lower(), other)):
            return kind
    return next((kind for name, kind in _MARKS if span.text(name)), "chain")
