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
