"""Events are a promise to processes of other versions, and the list in `shared/events.py` is true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import shared.events
from insights.process import ROUTERS
from shared.events import (
    EVENTS,
    TOPICS,
    DeadLetter,
    Event,
    ItemEnded,
    ItemEvent,
    ItemSampled,
    ItemSummarized,
    JobCategorized,
    JobReady,
    JobReported,
    JobRequested,
)

IDS: dict[str, Any] = {"workspace_id": "w", "job_id": "j"}
# What version 0.1.0 wrote, byte by byte. Never change a line: add one.
GOLDEN: list[tuple[str, Event | DeadLetter]] = [
    (
        '{"workspace_id":"w","job_id":"j","project":null,"config":null,"api_key_id":null}',
        JobRequested(**IDS),
    ),
    (
        '{"workspace_id":"w","job_id":"j","project":"Support","config":{"sample":5},"api_key_id":"k"}',
        JobRequested(**IDS, project="Support", config={"sample": 5}, api_key_id="k"),
    ),
    ('{"workspace_id":"w","job_id":"j","item_id":"i"}', ItemSampled(**IDS, item_id="i")),
    ('{"workspace_id":"w","job_id":"j","item_id":"i"}', ItemSummarized(**IDS, item_id="i")),
    ('{"workspace_id":"w","job_id":"j","item_id":"i"}', ItemEnded(**IDS, item_id="i")),
    ('{"workspace_id":"w","job_id":"j"}', JobReady(**IDS)),
    ('{"workspace_id":"w","job_id":"j","fence":3}', JobCategorized(**IDS, fence=3)),
    ('{"workspace_id":"w","job_id":"j","status":"success","error":null}', JobReported(**IDS, status="success")),
    (
        '{"workspace_id":"w","job_id":"j","status":"error","error":"No."}',
        JobReported(**IDS, status="error", error="No."),
    ),
    (
        '{"group":"g","source":"s","reason":"r","attempts":1,"workspace_id":null,"job_id":null,"item_id":null,"body":"b"}',
        DeadLetter(group="g", source="s", reason="r", attempts=1, body="b"),
    ),
]
golden = pytest.mark.parametrize(("text", "event"), GOLDEN, ids=[type(event).__name__ for _, event in GOLDEN])


@golden
def test_an_event_of_the_first_version_is_read(text: str, event: Event | DeadLetter) -> None:
    assert type(event).model_validate_json(text) == event


@golden
def test_an_event_of_a_later_version_is_read_without_what_is_new(text: str, event: Event | DeadLetter) -> None:
    newer = json.loads(text) | {"priority": 1, "trace_context": {"traceparent": ["00"]}, "topic": "other"}
    assert type(event).model_validate(newer) == event


@golden
def test_an_event_without_its_optional_fields_is_read(text: str, event: Event | DeadLetter) -> None:
    """As a program of another hand may write it."""
    shorter = {name: value for name, value in json.loads(text).items() if value is not None}
    assert type(event).model_validate(shorter) == event


@golden
def test_what_is_written_holds_all_that_a_first_reader_needs(text: str, event: Event | DeadLetter) -> None:
    """Fields are only added."""
    written = json.loads(event.model_dump_json())
    assert {name: written[name] for name in json.loads(text)} == json.loads(text)


def test_every_event_has_a_golden_line() -> None:
    assert {type(event) for _, event in GOLDEN} == {*EVENTS, DeadLetter}


def test_a_topic_is_the_name_of_its_class_in_dots() -> None:
    for event in EVENTS:
        assert event.topic == ".".join(["insights", *re.findall("[A-Z][a-z]+", event.__name__)]).lower()
    assert len(set(TOPICS)) == len(TOPICS) == len(EVENTS) + 1
    assert DeadLetter.topic in TOPICS


def test_items_fan_out_by_their_id_and_what_is_about_a_job_stays_in_turn() -> None:
    """item.ended is about its job: one consumer, one after the other."""
    assert {event.key for event in (ItemSampled(**IDS, item_id="i"), ItemSummarized(**IDS, item_id="i"))} == {"i"}
    of_the_job = (JobRequested(**IDS), ItemEnded(**IDS, item_id="i"), JobReady(**IDS), JobCategorized(**IDS, fence=1))
    assert {event.key for event in of_the_job} == {"j"}
    assert not issubclass(ItemEnded, ItemEvent)  # one that dies ends the job
    letter = DeadLetter(group="g", source="s", reason="r", attempts=1, body="b")
    assert (letter.key, letter.model_copy(update={"job_id": "j"}).key) == ("s", "j")


@pytest.mark.parametrize("field", ["workspace_id", "job_id", "item_id"])
def test_ids_from_outside_are_bounded(field: str) -> None:
    given = {**IDS, "item_id": "i", field: "x" * 65}
    with pytest.raises(ValueError, match="at most 64 characters"):
        ItemSampled(**given)


def arrows() -> list[tuple[str, str]]:
    """(topic, service.handler) of each line of the docstring that has an arrow, in order."""
    found = re.findall(r"^ +([a-z]+\.[a-z]+) +→ (any program|[\w.]+)", shared.events.__doc__ or "", re.MULTILINE)
    return [(f"insights.{name}", reader) for name, reader in found]


def test_the_arrows_are_what_the_services_subscribe_to_event_by_event() -> None:
    routes = [route for router in ROUTERS.values() for route in router.routes]
    subscribed = {(route.event.topic, route.name) for route in routes}
    assert {arrow for arrow in arrows() if arrow[1] != "any program"} == subscribed
    assert len(routes) == len(subscribed)


def test_the_arrows_are_in_the_order_of_the_events_and_name_each_once() -> None:
    assert [topic for topic, _ in arrows()] == [event.topic for event in EVENTS]
    assert arrows()[-1] == (JobReported.topic, "any program")


def test_each_event_says_who_reads_it() -> None:
    for event, (_, reader) in zip(EVENTS, arrows(), strict=True):
        assert f"to {reader}" in (event.__doc__ or ""), event.__name__


def test_a_service_is_a_folder_of_its_group_name() -> None:
    folder = Path(shared.events.__file__).parent.parent / "services"
    assert {router.group for router in ROUTERS.values()} == set(ROUTERS)
    assert set(ROUTERS) == {path.parent.name for path in folder.glob("*/handlers.py")}
