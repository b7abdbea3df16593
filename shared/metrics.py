"""Every metric, once. Labels come from small fixed sets; ids belong in logs, never here."""

from prometheus_client import Counter, Gauge, Histogram

# One for each event that a route is done with; outcome is done, retried, waited (store or bus away) or dead.
EVENTS = Counter("insights_events", "Events handled", ["route", "outcome"])
# From an event's arrival in a route to its end, retries and waiting included.
EVENT_SECONDS = Histogram(
    "insights_event_duration_seconds",
    "Time of an event in its handler",
    ["route"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800),
)
# Events of which the handlers are running now.
IN_FLIGHT = Gauge("insights_events_in_flight", "Events being handled", ["route"])
# One for each event that became a dead letter.
DEAD_LETTERS = Counter("insights_dead_letters", "Events that nobody could handle", ["route"])
# One for each round of the releaser or a sweeper that failed; the next round tries again.
ROUNDS_FAILED = Counter("insights_rounds_failed", "Rounds of background work that failed", ["work"])
# One for each call to a model's endpoint; outcome is answered, or again, busy, item or job (shared/llm/verdicts.py).
# One more, invalid, for an answer that has not the shape that was asked for.
MODEL_CALLS = Counter("insights_model_calls", "Calls to a model's endpoint", ["outcome"])
# Of every answer, by kind: input (cached included), cached, output.
MODEL_TOKENS = Counter("insights_model_tokens", "Tokens read and written by models", ["kind"])
# From sending a call to its answer or failure; retries are calls of their own.
MODEL_SECONDS = Histogram(
    "insights_model_call_duration_seconds",
    "Time of a call to a model's endpoint",
    buckets=(0.1, 0.3, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
# What the endpoint takes at present, as far as its refusals say.
MODEL_LIMIT = Gauge("insights_model_concurrency_limit", "Calls that may be in flight at once")
