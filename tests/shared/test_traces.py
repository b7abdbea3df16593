"""Files of traces: each form becomes the runs that it says, and nothing in a file can break the reader."""

import bz2
import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import UsageError
from shared.traces import RawRun, Reading, read
from shared.traces.history import first_request, role
from shared.traces.lines import LONGEST
from shared.traces.record import UNKNOWN
from shared.traces.times import EARLIEST, LATEST, micros, segment, text_of

A = "019c5e97-f228-7e20-93ef-61ee3479e880"
B = "019c5e97-f229-7a42-9c92-86e3be4ca393"
RUN = {"id": A, "inputs": {"question": "Why?"}, "outputs": {"answer": "So."}}
DATA = Path(__file__).parents[3] / "shared" / "data"
data_is_here = pytest.mark.skipif(not DATA.is_dir(), reason="the public data lies beside the checkout, not in it")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "id messages role type content kwargs lc data operation runs post patch inputs outputs child_runs trace_id extra "
    "metadata feedback feedback_stats parent_run_id dotted_order run_type status start_time end_time error tags text"
)
nasty_objects = st.recursive(
    json_values | st.sampled_from(["post", "patch", "run", "user", "ai", "", A, "9999-12-31T23:59:59-12:00"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=15,
)


def reading(*lines: Any, **options: Any) -> Reading:
    """Of lines that are bytes as they are, or values to be written as JSON."""
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return Reading(io.BytesIO(b"\n".join(raw)), **options)


def records(*lines: Any, **options: Any) -> list[RawRun]:
    return list(reading(*lines, **options))


def messages(*roles: str) -> list[dict[str, Any]]:
    return [{"role": name, "content": str(place)} for place, name in enumerate(roles)]


class TestRuns:
    def test_a_root_with_nested_children_becomes_one_record_a_run_in_one_trace(self) -> None:
        leaf = {"id": "leaf", "inputs": {}}
        root = {**RUN, "child_runs": [{"id": B, "inputs": {}, "child_runs": [leaf]}]}
        top, middle, inner = records(root)
        assert (top.id, middle.id, inner.source_id) == (A, B, "leaf")
        assert middle.fields["parent_run_id"] == A
        assert inner.fields["parent_run_id"] == B
        assert inner.fields["trace_id"] == middle.fields["trace_id"] == A
        assert "child_runs" not in top.fields

    def test_children_nested_a_hundred_deep_all_come(self) -> None:
        run: dict[str, Any] = {"inputs": {}}
        for _ in range(100):
            run = {"inputs": {}, "child_runs": [run]}
        assert len({record.id for record in records(run)}) == 101

    def test_an_id_that_is_no_uuid_is_mapped_alike_wherever_it_stands(self) -> None:
        parent, child = records({"id": "one", "inputs": 1}, {"id": 2, "parent_run_id": "one", "trace_id": "one"})
        assert parent.source_id == "one"
        assert child.source_id == "2"
        assert child.fields["parent_run_id"] == child.fields["trace_id"] == parent.id == str(UUID(parent.id))

    def test_ids_are_the_same_for_ever(self) -> None:
        """A later version that names runs otherwise would store every trace twice."""
        assert records({"id": "one", "inputs": 1})[0].id == "3e9a53e2-0f60-5978-be91-46f49be670aa"

    def test_identical_records_without_ids_are_traces_of_their_own_and_the_same_next_time(self) -> None:
        line = {"inputs": {"question": "Why?"}}
        first = [record.id for record in records(line, line, line)]
        assert len(set(first)) == 3
        assert first == [record.id for record in records(line, line, line)]

    def test_posts_and_patches_come_from_lines_and_from_batches(self) -> None:
        line = {"operation": "post", "id": A, "inputs": {}}
        batch = {"post": [{"id": B, "inputs": {}}], "patch": [{"id": A, "outputs": {}}]}
        found = records(line, batch)
        assert [(record.operation, record.id) for record in found] == [("post", A), ("post", B), ("patch", A)]

    def test_a_null_is_not_a_field(self) -> None:
        assert "error" not in records({**RUN, "error": None})[0].fields

    def test_metadata_beside_extra_goes_into_it_and_extra_wins(self) -> None:
        run = {**RUN, "metadata": {"a": 1, "b": 1}, "extra": {"metadata": {"b": 2}, "runtime": {}}}
        assert records(run)[0].fields["extra"] == {"metadata": {"a": 1, "b": 2}, "runtime": {}}

    @pytest.mark.parametrize("value", ["a string", ["a", "list"], 7])
    def test_inputs_of_any_type_stay_as_they_are(self, value: object) -> None:
        assert records({"id": A, "inputs": value})[0].fields["inputs"] == value


class TestHistories:
    def test_the_first_request_is_the_inputs_and_the_rest_the_outputs(self) -> None:
        talk = messages("system", "user", "assistant", "user", "assistant")
        (run,) = records(talk)
        assert run.fields["inputs"] == {"messages": talk[:2]}
        assert run.fields["outputs"] == {"messages": talk[2:]}

    @pytest.mark.parametrize(
        ("roles", "cut"),
        [
            ("user user assistant", 2),
            ("assistant user assistant", 2),
            ("user", 1),
            ("system assistant", 1),
            ("system", 1),
            ("user tool assistant", 1),
            ("", 0),
        ],
    )
    def test_the_first_request_ends_with_the_last_user_message_before_an_answer(self, roles: str, cut: int) -> None:
        assert first_request(messages(*roles.split())) == cut

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            ({"role": "user"}, "user"),
            ({"role": "developer"}, "system"),
            ({"type": "human"}, "user"),
            ({"type": "AIMessageChunk"}, "assistant"),
            ({"type": "ai", "data": {"content": "Hi"}}, "assistant"),
            ({"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "Hi"}}, "user"),
            ({"lc": 1, "type": "constructor", "id": ["x", "ToolMessage"], "kwargs": {"type": "tool"}}, "tool"),
            ({"role": "user", "content": [{"type": "tool_result", "content": "4"}]}, "tool"),
            ({"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "And?"}]}, "user"),
            ({"role": "user", "content": []}, "user"),
            ({"role": 7}, None),
            ("user", None),
        ],
    )
    def test_roles_are_told_in_every_form(self, message: object, expected: str | None) -> None:
        assert role(message) == expected

    def test_what_lies_beside_the_messages_is_kept(self) -> None:
        talk = {
            "id": "chat 1",
            "messages": messages("user", "assistant"),
            "metadata": {"plan": "free"},
            "session_id": "s",
            "feedback": [{"key": "stars", "score": 4}, {"key": "stars", "score": 5}],
            "created_at": "2026-01-01T00:00:00Z",
        }
        (run,) = records(talk)
        assert run.source_id == "chat 1"
        assert run.fields["extra"]["metadata"] == {
            "plan": "free",
            "session_id": "s",
            "created_at": "2026-01-01T00:00:00Z",
        }
        assert run.fields["feedback_stats"] == {"stars": {"n": 2, "avg": 4.5}}
        assert run.fields["start_time"] == "2026-01-01T00:00:00Z"

    def test_times_of_messages_are_the_times_of_the_talk(self) -> None:
        talk = [{**message, "timestamp": 1_767_225_600 + n} for n, message in enumerate(messages("user", "assistant"))]
        (run,) = records(talk)
        assert (run.fields["start_time"], run.fields["end_time"]) == (1_767_225_600, 1_767_225_601)

    def test_a_history_without_an_answer_has_unknown_outputs(self) -> None:
        assert "outputs" not in records(messages("user"))[0].fields

    def test_empty_messages_are_a_trace_that_holds_nothing(self) -> None:
        assert records({"id": A, "messages": []})[0].fields["inputs"] == {"messages": []}


class TestText:
    def test_the_field_is_the_input_and_all_else_is_metadata(self) -> None:
        (run,) = records({"id": "t1", "text": "Hello", "label": "x"}, text="text")
        assert run.source_id == "t1"
        assert run.fields["inputs"] == {"text": "Hello"}
        assert run.fields["extra"] == {"metadata": {"label": "x"}}
        assert "outputs" not in run.fields

    def test_fields_may_be_paths_with_dots(self) -> None:
        line = {"key": {"no": 7}, "body": {"text": "Hello", "size": 5}}
        (run,) = records(line, text="body.text", id_field="key.no")
        assert run.source_id == "7"
        assert run.fields["inputs"] == {"body.text": "Hello"}
        assert run.fields["extra"]["metadata"] == {"key": {}, "body": {"size": 5}}

    def test_a_dated_text_is_over_and_not_pending(self) -> None:
        """How it ended is another question: it is unknown unless the record has an `error`."""
        (run,) = records({"text": "Hello", "created_at": "2026-01-01"}, text="text")
        assert run.fields["status"] == UNKNOWN
        (run,) = records({"text": "Hello", "created_at": "2026-01-01", "error": None}, text="text")
        assert run.fields["status"] == "success"

    def test_a_line_without_the_field_says_which_it_has(self) -> None:
        found = reading({"text": "Hello"}, {"txt": "Hello"}, text="text")
        assert len(list(found)) == 1
        assert found.bad_lines == [{"line": 2, "reason": "no field 'text', or it is null; its fields are 'txt'"}]


class TestFiles:
    plain = json.dumps(RUN).encode() + b"\n" + json.dumps({**RUN, "id": B}).encode() + b"\n"

    @pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
    def test_compression_is_told_by_content_not_by_name(self, tmp_path: Path, pack: Any) -> None:
        path = tmp_path / "traces.txt"
        path.write_bytes(pack(self.plain))
        assert [run.id for run in read(path)] == [A, B]

    @pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
    def test_frames_one_after_the_other_are_one_file(self, pack: Any) -> None:
        packed = b"".join(pack(line + b"\n") for line in self.plain.splitlines())
        assert [run.id for run in Reading(io.BytesIO(packed))] == [A, B]

    @pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
    @pytest.mark.parametrize("left", [20, 0.5, -1])
    def test_a_compressed_file_that_ends_early_is_told(self, pack: Any, left: float) -> None:
        packed = pack(b"".join(json.dumps({**RUN, "id": str(n)}).encode() + b"\n" for n in range(5_000)))
        cut = int(len(packed) * left) if isinstance(left, float) else left
        with pytest.raises(UsageError, match="broken or cut off"):
            list(Reading(io.BytesIO(packed[:cut])))

    @pytest.mark.parametrize("indent", [None, 2])
    def test_a_file_may_be_one_json_array_of_runs_and_histories(self, indent: int | None) -> None:
        document = json.dumps([RUN, messages("user"), 7], indent=indent).encode()
        found = Reading(io.BytesIO(document))
        assert len(list(found)) == 2
        assert found.bad_line_count == 1

    def test_a_file_may_be_one_object_of_runs(self) -> None:
        assert [run.id for run in Reading(io.BytesIO(json.dumps({"runs": [RUN]}, indent=1).encode()))] == [A]

    def test_a_bad_first_line_does_not_make_the_file_one_document(self) -> None:
        found = reading(b'{"id": "cut', RUN, {**RUN, "id": B})
        assert [run.id for run in found] == [A, B]
        assert (found.lines, found.bad_line_count) == (3, 1)

    def test_a_mark_at_the_start_and_blank_lines_and_carriage_returns_are_nothing(self) -> None:
        found = Reading(io.BytesIO(b"\xef\xbb\xbf\r\n  \n" + self.plain.replace(b"\n", b"\r\n\r\n")))
        assert [run.id for run in found] == [A, B]
        assert found.lines == 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "holds no trace. Expected JSON lines"),
            (b"\n \n", "holds no trace. Expected JSON lines"),
            (gzip.compress(b"", mtime=0), "holds no trace"),
            (json.dumps(RUN).encode("utf-16"), "UTF-16"),
            (json.dumps(RUN).encode("utf-16-le"), "UTF-16"),
            (b"PK\x03\x04rest", "zip archive"),
            (bz2.compress(b"{}"), "bzip2"),
            (b"hello\nworld\n", "Line 1: not JSON"),
            (b'{"resourceSpans": []}', "--text; its fields are 'resourceSpans'"),
            (b"[]", "an empty list"),
            (b"7", "neither a JSON object nor a list"),
        ],
    )
    def test_a_file_without_a_trace_says_why_and_what_is_expected(self, content: bytes, said: str) -> None:
        with pytest.raises(UsageError) as raised:
            list(Reading(io.BytesIO(content)))
        assert said in str(raised.value)

    def test_a_path_that_cannot_be_opened_is_told(self, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "absent"):
            with pytest.raises(UsageError, match="cannot be read"):
                list(read(path))

    def test_a_large_file_of_an_unknown_kind_is_given_up_early(self) -> None:
        found = Reading(io.BytesIO(b'{"a": 1}\n' * 20_000))
        with pytest.raises(UsageError, match="--text"):
            list(found)
        assert found.lines == 10_000

    def test_records_come_while_the_file_is_still_being_written(self) -> None:
        """Streaming: the second line is not asked for before the first one's record was taken."""

        class Growing(io.RawIOBase):
            asked = 0

            def readable(self) -> bool:
                return True

            def read(self, size: int = -1) -> bytes:
                self.asked += 1
                return (json.dumps({"inputs": self.asked}).encode() + b"\n").ljust(16) * (self.asked < 50)

        stream = Growing()
        next(iter(Reading(stream)))  # type: ignore[arg-type]
        assert stream.asked < 50


class TestBadLines:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"\0\0\0", "not JSON"),
            (b'{"id": "\xff"}', "not UTF-8 at byte 9"),
            (b'{"inputs": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested too deep"),
            (b'{"inputs": ' + b"[" * 600 + b"]" * 600 + b"}", "nested too deep"),
            (b'{"inputs": ' + b'{"a":[' * 300 + b"]}" * 300 + b"}", "nested too deep"),
            (b'{"operation": "post", "inputs": {}}', "a post without an id"),
            (b'{"inputs": {}', "not JSON"),
            (b'"text"', "neither a JSON object"),
            (b'{"post": [7]}', "neither a JSON object"),
        ],
    )
    def test_a_bad_line_is_noted_and_the_others_are_read(self, line: bytes, reason: str) -> None:
        found = reading(RUN, line, {**RUN, "id": B})
        assert [run.id for run in found] == [A, B]
        assert found.bad_line_count == 1
        assert found.bad_lines[0]["line"] == 2
        assert reason in found.bad_lines[0]["reason"]

    def test_many_brackets_are_not_deep_nesting(self) -> None:
        line = {"inputs": ["[[{{" * 1_000, [[[]]] * 1_000, [{"a": {}}] * 1_000]}
        assert len(records(line)) == 1

    @pytest.mark.parametrize("value", ["NaN", "-Infinity", r'"\ud800"', "9" * 5_000, "1e999", r'"\u0000"'])
    def test_odd_values_are_no_bad_lines(self, value: str) -> None:
        assert len(records(f'{{"id": {value}, "inputs": {value}}}'.encode())) == 1

    def test_a_line_of_more_than_64_mb_is_noted_and_the_next_is_read(self) -> None:
        found = reading(RUN, b'"' + b"x" * (LONGEST + 1) + b'"', {**RUN, "id": B})
        assert [run.id for run in found] == [A, B]
        assert "longer than 64 MB" in found.bad_lines[0]["reason"]

    def test_the_first_hundred_reasons_are_kept_and_all_are_counted(self) -> None:
        found = reading(RUN, *([b"x"] * 250))
        list(found)
        assert (found.bad_line_count, len(found.bad_lines), found.lines) == (250, 100, 251)

    @settings(deadline=None)
    @given(st.lists(nasty_objects, max_size=4), st.sampled_from([None, "text", "inputs.text"]))
    def test_no_json_breaks_the_reader(self, lines: list[Any], text: str | None) -> None:
        ids = [run.id for run in reading(RUN, {"text": "x", "inputs": {"text": "x"}}, *lines, text=text)]
        assert all(str(UUID(run_id)) == run_id for run_id in ids)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_no_bytes_break_the_reader(self, content: bytes) -> None:
        for prefix in (b"", b"{", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"):
            with pytest.raises(UsageError):
                list(Reading(io.BytesIO(prefix + content)))


class TestTimes:
    SECOND = 1_767_225_600

    @pytest.mark.parametrize(
        "value",
        [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01 01:00:00+01:00",
            "2026-01-01",
            SECOND,
            float(SECOND),
            str(SECOND),
            SECOND * 1_000,
            SECOND * 1_000_000,
            SECOND * 1_000_000_000,
        ],
    )
    def test_every_form_of_a_time_is_read(self, value: object) -> None:
        assert micros(value) == self.SECOND * 1_000_000

    def test_microseconds_are_exact(self) -> None:
        assert micros("2026-01-01T00:00:00.000001Z") == self.SECOND * 1_000_000 + 1

    @pytest.mark.parametrize(
        "value",
        [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "soon",
            "",
            True,
            None,
            float("nan"),
            float("inf"),
            10**400,
            -(10**21),
            1e300,
            [],
            "9" * 400,
        ],
    )
    def test_what_is_no_time_is_unknown(self, value: object) -> None:
        assert micros(value) is None

    @given(st.integers(EARLIEST, LATEST))
    def test_a_time_that_is_written_is_read_again(self, time: int) -> None:
        assert micros(text_of(time)) == time

    def test_a_segment_of_a_dotted_order_tells_time_and_id(self) -> None:
        assert segment(f"20260101T000000000001Z{A}") == (self.SECOND * 1_000_000 + 1, A)
        assert segment(f"00000101T000000000000Z{A}") == (None, A)
        assert segment(A) is None


@data_is_here
class TestPublicData:
    @pytest.mark.parametrize(
        ("name", "runs", "traces"),
        [
            ("traces_langsmith_native.jsonl", 73, 5),
            ("traces_tau2_activegraph.jsonl", 29, 29),
            ("traces_tau_bench.jsonl", 288, 288),
            ("traces_arena_hard.jsonl.gz", 1_750, 1_750),
            ("traces_mint.jsonl.gz", 2_930, 2_930),
        ],
    )
    def test_every_trace_is_read(self, name: str, runs: int, traces: int) -> None:
        found = read(DATA / name)
        parents = Counter("parent_run_id" in run.fields for run in found)
        assert (parents.total(), parents[False], found.bad_line_count) == (runs, traces, 0)

    def test_every_ingest_record_is_read(self) -> None:
        files = sorted((DATA / "formats" / "langsmith").glob("*.jsonl"))
        found = [run for path in files for run in read(path)]
        assert Counter(run.operation for run in found) == {"post": 73, "patch": 73}
