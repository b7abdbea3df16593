"""The filter language: what matches, what is refused and where, and that nothing crashes it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import FilterError
from shared.filters import Filter, parse
from shared.filters.entries import FAMILIES, Condition, Entry, Family
from shared.filters.fields import FIELDS
from shared.filters.nodes import And, Compare, HasKey, HasPairs, HasTag, In, Like, Node, Not, Or, Search
from shared.filters.parser import MAX_LENGTH
from shared.filters.values import MAX_DEPTH
from shared.models import BodyPart, Feedback, Run

SECOND = 1_000_000
NOON = 1_767_268_800 * SECOND  # 2026-01-01T12:00:00Z


def run(**fields: Any) -> Run:
    facts = {"workspace_id": "w", "id": "r1", "project_id": "p", "trace_id": "r1", "received_at": 0}
    return Run.model_validate(facts | fields)


FULL = run(
    source_id="my-id",
    name="support_chat",
    run_type="llm",
    status="error",
    error="Timeout: 30 s",
    thread_id="thr-1",
    start_time=NOON,
    end_time=NOON + 5 * SECOND,
    total_tokens=100,
    prompt_tokens=80,
    completion_tokens=20,
    total_cost=0.5,
    prompt_cost=0.25,
    completion_cost=0.25,
    tags=("beta", "with space"),
    metadata={"env": "prod", "retries": 1, "flag": True, "nested": {"a": [1, {"b": None}]}, "gone": None},
)
BARE = run()


@pytest.mark.parametrize(
    "text",
    [
        'eq(id, "r1")',
        'eq(id, "my-id")',
        'in(trace_id, ["my-id", "other"])',
        "eq(parent_run_id, null)",
        'eq(name, "support_chat")',
        "eq(run_type, 'llm')",
        'eq(status, "error")',
        "neq(error, null)",
        'like(error, "Timeout%")',
        "eq(is_root, true)",
        "neq(is_root, false)",
        'gt(start_time, "2026-01-01T11:59:59Z")',
        'eq(start_time, "2026-01-01T12:00:00")',
        'eq(start_time, "2026-01-01T13:00:00+01:00")',
        'lte(end_time, "2026-01-01T12:00:05.000000Z")',
        'gte(start_time, "2026-01-01")',
        "eq(latency, 5)",
        'eq(latency, "5s")',
        'lt(latency, "2m")',
        'gt(latency, "300ms")',
        "gt(total_tokens, 99.5)",
        "in(prompt_tokens, [1, 80])",
        "lte(completion_tokens, 20)",
        "gte(total_cost, 5e-1)",
        "lt(prompt_cost, 1)",
        "neq(completion_cost, 1)",
        'has(tags, "beta")',
        "has(tags, 'with space')",
        """has(metadata, '{"env": "prod"}')""",
        """has(metadata, '{"env": "prod", "retries": 1.0}')""",
        """has(metadata, '{"nested": {"a": [1, {"b": null}]}}')""",
        """has(metadata, '{"gone": null}')""",
        'exists(metadata, "env")',
        'eq(thread_id, "thr-1")',
        'and(eq(status, "error"))',
        'and(eq(status, "error"), or(eq(name, "x"), has(tags, "beta")), not(eq(name, "x")))',
        '  and (\n eq ( status ,"error" ) )  ',
    ],
)
def test_a_filter_that_is_true_of_a_run_matches_it_and_its_negation_does_not(text: str) -> None:
    assert parse(text).matches(FULL)
    assert not parse(f"not({text})").matches(FULL)


@pytest.mark.parametrize(
    "text",
    [
        'eq(name, "Support_chat")',
        """has(metadata, '{"retries": "1"}')""",
        """has(metadata, '{"retries": true}')""",
        """has(metadata, '{"flag": 1}')""",
        """has(metadata, '{"env": "prod", "other": 1}')""",
        """has(metadata, '{"nested": {"a": [1]}}')""",
        'exists(metadata, "other")',
        'has(tags, "bet")',
        "in(status, [])",
        "in(error, [null])",
        'gt(start_time, "2026-01-01T12:00:00Z")',
    ],
)
def test_a_filter_that_is_false_of_a_run_does_not_match_it(text: str) -> None:
    assert not parse(text).matches(FULL)


@pytest.mark.parametrize("field", ["error", "thread_id", "start_time", "latency", "total_tokens", "total_cost"])
def test_the_unknown_is_null_and_neither_more_nor_less_than_anything(field: str) -> None:
    value = {"text": '"x"', "time": '"2026-01-01"'}.get(FIELDS[field].kind, "0")
    assert parse(f"eq({field}, null)").matches(BARE)
    assert not parse(f"neq({field}, null)").matches(BARE)
    assert not parse(f"eq({field}, {value})").matches(BARE)
    assert parse(f"neq({field}, {value})").matches(BARE)
    assert not parse(f"in({field}, [{value}])").matches(BARE)
    assert parse(f"in({field}, [{value}, null])").matches(BARE)
    if FIELDS[field].kind != "text":
        assert not any(parse(f"{order}({field}, {value})").matches(BARE) for order in ("gt", "gte", "lt", "lte"))


def test_a_child_is_no_root_and_has_not_its_traces_source_id() -> None:
    child = run(id="r2", parent_run_id="r1", source_id="child-id")
    assert parse("eq(is_root, false)").matches(child)
    assert parse('eq(parent_run_id, "r1")').matches(child)
    assert not parse('eq(trace_id, "child-id")').matches(child)


def test_a_uuid_matches_in_upper_case_too() -> None:
    name = "0195f000-aaaa-7000-8000-00000000abcd"
    assert parse(f'eq(id, "{name.upper()}")').matches(run(id=name))


def test_escapes_stand_for_quotes_and_backslashes() -> None:
    assert parse(r"""eq(name, "a\"b\\c\'d")""").matches(run(name="a\"b\\c'd"))
    assert parse(r"""eq(name, 'a\'b"c')""").matches(run(name="a'b\"c"))


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("%chat%", "support_chat", True),
        ("support_chat", "support_chat", True),
        ("support", "support_chat", False),
        ("s%t", "support_chat", True),
        ("ab%ba", "aba", False),
        ("a_c", "abc", True),
        ("a_c", "ac", False),
        (r"100\\%", "100%", True),
        (r"100\\%", "1000", False),
        (r"a\\_c", "abc", False),
        ("%a.c%", "xabcx", False),
        ("%", "", True),
        ("%b%c%", "a\nb\nc", True),
        ("%x%", "X", False),
    ],
)
def test_like_reads_percent_and_underscore_and_nothing_else_as_wildcards(
    pattern: str, name: str, matches: bool
) -> None:
    assert parse(f'like(name, "{pattern}")').matches(run(name=name)) is matches


def test_like_is_fast_whatever_its_pattern() -> None:
    """A pattern of many % on a text that nearly fits would take for ever with backtracking (the timeout guards)."""
    assert not parse(f'like(name, "{"%a" * 3_000}%b")').matches(run(name="a" * 20_000))


BODIES: dict[BodyPart, Any] = {
    "inputs": {"messages": [{"role": "user", "content": "Refund, please"}, {"role": "ai", "content": "No"}], "n": 3},
    "outputs": "Sorry",
    "error": "Timeout: 30 s\nat line 7",
}
RATED = FULL.model_copy(update={"feedback": {"stars": Feedback(n=2, avg=4.5), "note": Feedback(n=1)}})


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('search("refund PLEASE")', True),
        ('search("please refund timeout line")', True),
        ('search("prod")', True),
        ('search("refund nowhere")', False),
        ('search("")', True),
        ('search(inputs, "sorry")', False),
        ('search(outputs, "sorry")', True),
        ('search(error, "LINE 7")', True),
        ('search(tags, "space")', True),
        ('search(name, "support")', True),
        ('eq(metadata_key, "env")', True),
        ('neq(metadata_key, "env")', False),
        ('neq(metadata_key, "other")', True),
        ('eq(metadata_value, "prod")', True),
        ('neq(metadata_value, "prod")', False),
        ('and(eq(metadata_key, "env"), eq(metadata_value, "prod"))', True),
        ('and(eq(metadata_value, "prod"), eq(metadata_key, "env"))', True),
        ('and(eq(metadata_key, "retries"), eq(metadata_value, "prod"))', False),
        ('and(eq(metadata_key, "env"), neq(metadata_value, "prod"))', False),
        ('and(eq(metadata_key, "env"), neq(metadata_value, "dev"))', True),
        ('and(eq(metadata_key, "other"), neq(metadata_value, "dev"))', False),
        ('and(neq(metadata_key, "env"), neq(metadata_value, "dev"))', False),
        ('and(neq(metadata_key, "other"), neq(metadata_value, "dev"))', True),
        ('and(neq(metadata_key, "other"), neq(metadata_value, "prod"))', False),
        ('and(neq(metadata_key, "env"), eq(metadata_value, "prod"))', False),
        ('and(neq(metadata_key, "other"), eq(metadata_value, "prod"))', True),
        ('and(in(metadata_key, ["env", "x"]), in(metadata_value, ["prod"]))', True),
        ('and(eq(metadata_key, "retries"), eq(metadata_value, "1"))', True),
        ('and(eq(metadata_key, "retries"), gt(metadata_value, 0.5), lt(metadata_value, 2))', True),
        ('and(eq(metadata_key, "retries"), gt(metadata_value, 1))', False),
        ('and(eq(metadata_key, "flag"), eq(metadata_value, true))', True),
        ('and(eq(metadata_key, "flag"), eq(metadata_value, 1))', False),
        ('and(eq(metadata_key, "gone"), eq(metadata_value, null))', True),
        ('and(eq(metadata_key, "nested.a"), eq(metadata_value, 1))', True),
        (
            'and(eq(metadata_key, "env"), eq(metadata_value, "prod"), eq(metadata_key, "x"), eq(metadata_value, "y"))',
            False,
        ),
        ('and(eq(metadata_key, "env"), eq(status, "error"), like(metadata_value, "pr%"))', True),
        ('and(eq(input_key, "messages.content"), like(input_value, "%Refund%"))', True),
        ('and(eq(input_key, "messages.role"), eq(input_value, "ai"))', True),
        ('and(eq(input_key, "messages.role"), eq(input_value, "No"))', False),
        ('and(eq(input_key, "n"), gte(input_value, 3))', True),
        ('eq(input_key, "messages")', True),
        ('eq(input_key, "content")', False),
        ('search(input_value, "please REFUND")', True),
        ('eq(output_value, "Sorry")', True),
        ('eq(output_key, "a")', False),
        ('eq(feedback_key, "stars")', True),
        ('and(eq(feedback_key, "stars"), gt(feedback_score, 4))', True),
        ('and(eq(feedback_key, "stars"), gt(feedback_score, 4), lt(feedback_score, 4.2))', False),
        ('and(eq(feedback_key, "note"), gt(feedback_score, 0))', False),
        ('neq(feedback_key, "note")', False),
        ("gt(feedback_score, 4)", True),
    ],
)
def test_search_and_entries_say_what_the_bodies_hold(text: str, matches: bool) -> None:
    assert parse(text).matches(RATED, BODIES) is matches
    assert parse(f"not({text})").matches(RATED, BODIES) is not matches


def test_bodies_are_asked_for_only_where_the_answer_depends_on_them() -> None:
    assert parse('search("prod timeout")').matches(FULL) is True
    assert parse('search("refund")').matches(FULL) is None
    assert parse('and(eq(status, "success"), search("refund"))').matches(FULL) is False
    assert parse('or(eq(status, "error"), eq(input_key, "a"))').matches(FULL) is True
    assert parse('search("refund")').parts == {"inputs", "outputs", "error"}
    assert parse('and(eq(output_key, "a"), eq(name, "b"))').parts == {"outputs"}


def test_a_key_of_huge_values_is_found_fast_and_endless_paths_are_not_followed() -> None:
    """Of a million values, and of names that would make paths of a gigabyte (the timeout guards)."""
    wide = {"a": {"b": [1] * 10}, "z": [{"c": number} for number in range(300_000)]}
    assert parse('and(eq(input_key, "a.b"), eq(input_value, 1))').matches(BARE, {"inputs": wide})
    assert parse('like(input_key, "%z")').matches(BARE, {"inputs": {"k" * 10_000: {"a": 1}, "z": 1}})
    assert not parse('like(input_key, "%z")').matches(BARE, {"inputs": {"k" * 10_000: {"z": 1}}})


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("", 0, "comparator"),
        ("eq", 2, "Expected ("),
        ('eq(status "error")', 10, "Expected ,"),
        ('eq(status, "error"', 18, "Expected )"),
        ('eq(status, "error") x', 20, "nothing more"),
        ('eq(status, "error)', 11, "never closed"),
        ("status:error", 6, "write a comparator"),
        ("eq(status, error)", 11, '"error"'),
        ('equal(status, "error")', 0, "did you mean eq?"),
        ("gt(total_token, 5)", 3, "did you mean total_tokens?"),
        ('eq(zzz, "5")', 3, "known are id, trace_id"),
        ("and()", 4, "comparator"),
        ('gt(total_tokens, "5")', 17, "a number"),
        ("eq(total_tokens, true)", 17, "a number"),
        ("eq(is_root, 1)", 12, "true or false"),
        ("eq(name, 5)", 9, "quotes"),
        ("gt(total_tokens, null)", 3, "use eq or neq"),
        ('gt(name, "a")', 3, "use eq or neq"),
        ("in(total_tokens, [1, 'x'])", 21, "a number"),
        ("in(total_tokens, 1)", 17, "Expected ["),
        ('gt(start_time, "yesterday")', 15, "no time"),
        ('gt(start_time, "0001-01-01T00:00:00+05:00")', 15, "no time"),
        ("gt(start_time, 17)", 15, "Expected a time"),
        ('gt(latency, "5 weeks")', 12, "ms, s, m, h, d"),
        ("gt(latency, 1e999)", 12, "too large"),
        ('like(total_tokens, "5%")', 5, "like is for text"),
        ('eq(tags, "beta")', 3, "has(tags"),
        ('has(name, "beta")', 4, "known are tags, metadata"),
        ('has(metadata, "env")', 14, "exists(metadata"),
        ("has(metadata, '{\"a\": NaN}')", 14, "cannot be compared"),
        ("has(metadata, '{\"a\": 1e999}')", 14, "too large"),
        ("has(metadata, '[1]')", 14, "pairs as JSON"),
        (f"has(metadata, '{{\"a\": {'[' * 9000}')", 14, "pairs as JSON"),
        (f"has(metadata, '{{\"a\": {'[' * 200}{']' * 200}}}')", 14, "inside each other"),
        ('exists(tags, "beta")', 7, "has(tags"),
        ("search(text)", 7, "Unknown field"),
        ("gt(metadata_key, 'a')", 3, "use eq or neq"),
        ("eq(input_key, null)", 3, "use eq or neq"),
        ("lt(output_value, true)", 3, "use eq or neq"),
        ("eq(feedback_score, 'good')", 19, "a number"),
        ("eq(metadata_value, prod)", 19, "quotes"),
        (r'eq(name, "a\nb")', 11, "Unknown escape"),
        ("(eq(name, 'x'))", 0, "comparator"),
    ],
)
def test_a_wrong_filter_is_refused_at_its_place_with_a_hint(text: str, position: int, hint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == position
    assert hint in str(caught.value)


def test_the_message_shows_the_filter_with_a_caret_under_the_place() -> None:
    with pytest.raises(FilterError) as caught:
        parse('and(eq(status, "error"),\n gt(total_token, 5))')
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^") :].startswith("total_token,")


def test_nesting_is_bounded_and_no_recursion_error_comes_of_it() -> None:
    leaf = 'eq(name, "x")'
    deepest = "not(" * (MAX_DEPTH - 1) + leaf + ")" * (MAX_DEPTH - 1)
    assert parse(deepest).matches(BARE) is (MAX_DEPTH % 2 == 0)
    with pytest.raises(FilterError, match="inside each other"):
        parse(f"not({deepest})")
    with pytest.raises(FilterError, match="inside each other"):
        parse("not(" * 4_999)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(FilterError, match="20,000"):
        parse(" " * (MAX_LENGTH + 1))


TEXT = st.text(max_size=8)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.integers(-(10**16), 10**17)
VALUES = {"text": TEXT, "id": TEXT, "number": NUMBERS, "duration": NUMBERS, "time": TIMES, "boolean": st.booleans()}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def _leaves(field: str) -> st.SearchStrategy[Node]:
    scalars: st.SearchStrategy[Any] = VALUES[FIELDS[field].kind]
    equal = st.builds(Compare, st.sampled_from(("eq", "neq")), st.just(field), scalars | st.none())
    one_of = st.builds(In, st.just(field), st.lists(scalars | st.none(), max_size=3).map(tuple))
    if FIELDS[field].kind in ("text", "id"):
        return equal | one_of | st.builds(Like, st.just(field), st.text("ab%_\\", max_size=6))
    return equal | one_of | st.builds(Compare, st.sampled_from(("gt", "gte", "lt", "lte")), st.just(field), scalars)


def _conditions(family: Family) -> st.SearchStrategy[tuple[Condition, ...]]:
    values: st.SearchStrategy[Any] = NUMBERS if family.value_kind == "number" else TEXT | NUMBERS | st.booleans()
    key = st.builds(Condition, st.just(family.key), st.sampled_from(("eq", "neq", "like", "search")), TEXT)
    equal = st.builds(Condition, st.just(family.value), st.sampled_from(("eq", "neq")), values | st.none())
    one_of = st.builds(Condition, st.just(family.value), st.just("in"), st.lists(values, max_size=2).map(tuple))
    order = st.builds(Condition, st.just(family.value), st.sampled_from(("gt", "lte")), NUMBERS)
    return st.tuples(key) | st.tuples(equal | one_of | order) | st.tuples(key, equal | one_of, order)


PAIRS = st.builds(HasPairs, st.dictionaries(TEXT, JSON, min_size=1, max_size=2))
LEAVES: st.SearchStrategy[Node] = st.one_of(
    [
        *map(_leaves, FIELDS),
        *(st.builds(lambda found: And((found,)), st.builds(Entry, st.just(one), _conditions(one))) for one in FAMILIES),
        st.builds(HasTag, TEXT),
        st.builds(HasKey, TEXT),
        st.builds(Search, st.sampled_from((None, "name", "inputs", "metadata")), TEXT),
        PAIRS,
    ]
)


def _branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(And, parts) | st.builds(Or, parts) | st.builds(Not, inner)


TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, _branches, max_leaves=5)
RUNS = st.builds(
    run,
    name=TEXT,
    error=st.none() | TEXT,
    total_tokens=st.none() | st.integers(0, 9),
    start_time=st.none() | TIMES,
    end_time=st.none() | TIMES,
    tags=st.lists(TEXT, max_size=2),
    metadata=st.dictionaries(TEXT, JSON, max_size=2),
)
FRAGMENTS = st.sampled_from(
    [
        "and(",
        "or(",
        "not(",
        "search(",
        "metadata_key",
        "input_value",
        "eq(",
        "in(",
        "has(",
        "like(",
        "name",
        "metadata",
        ", ",
        ")",
        "[",
        "]",
        '"x"',
        "'{}'",
        "5",
        "\\",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.lists(FRAGMENTS, max_size=20).map("".join))
def test_any_text_parses_or_raises_a_filter_error_within_it(text: str) -> None:
    outcome = _outcome(text)
    assert isinstance(outcome, Filter) or 0 <= outcome <= len(text)


def _outcome(text: str) -> Filter | int:
    """The filter, or the position of the error."""
    try:
        return parse(text)
    except FilterError as error:
        return error.position


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_a_rendered_tree_parses_to_the_same_tree(tree: Node) -> None:
    assert parse(tree.render()) == Filter(tree)


@settings(max_examples=100, deadline=None)
@given(TREES, RUNS, JSON, JSON)
def test_what_is_known_without_bodies_stays_so_with_them(tree: Node, one: Run, inputs: Any, outputs: Any) -> None:
    """And nothing stays open once they are read."""
    before, after = tree.matches(one), tree.matches(one, {"inputs": inputs, "outputs": outputs})
    assert after is not None
    assert before in (None, after)
    assert before is not None or tree.parts


@settings(max_examples=100, deadline=None)
@given(TREES, RUNS)
def test_two_nots_are_none(tree: Node, one: Run) -> None:
    assert Not(Not(tree)).matches(one) is tree.matches(one)


@settings(max_examples=50, deadline=None)
@given(st.lists(TREES, min_size=1, max_size=3).map(tuple), RUNS)
def test_not_goes_into_and_and_or_by_de_morgan(parts: tuple[Node, ...], one: Run) -> None:
    negated = tuple(Not(part) for part in parts)
    assert Not(And(parts)).matches(one) is Or(negated).matches(one)
    assert Not(Or(parts)).matches(one) is And(negated).matches(one)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=3))
def test_metadata_has_each_of_its_own_pairs(metadata: dict[str, Any]) -> None:
    one = run(metadata=json.loads(json.dumps(metadata)))
    assert all(HasPairs({key: value}).matches(one) for key, value in metadata.items())
