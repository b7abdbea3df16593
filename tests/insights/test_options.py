"""Options and job.yaml become one configuration; what is wrong is named."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from insights.option_values import attributes_of, categories_of, examples_of, hierarchy_of
from insights.options import is_relative, job_config, prompt_text, sample_size, window
from shared.errors import UsageError
from shared.job_config import AttributeSchema
from tests.insights.command import insights

FULL = """
name: Weekly
sample: 200
filter: eq(status, "error")
start_time: 2026-01-01
end_time: 2026-02-01T12:00:00+02:00
summary_prompt: "{{run.inputs}}"
attribute_schemas:
  angry: {type: boolean, description: "Is the person angry?", filter_by: true}
partitions: {Refunds: About money}
hierarchy: [12, null]
seed: 7
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "job.yaml"
    path.write_text(text)
    return path


def test_a_job_file_may_hold_every_option(tmp_path: Path) -> None:
    config = job_config(file(tmp_path, FULL), {"name": None})
    assert (config.name, config.sample, config.seed, config.hierarchy) == ("Weekly", 200, 7, (12, None))
    assert config.attribute_schemas["angry"].filter_by
    assert config.end_time == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_an_option_is_over_the_file_and_what_is_not_given_leaves_it(tmp_path: Path) -> None:
    config = job_config(file(tmp_path, FULL), {"name": "Today", "seed": None, "sample": "all"})
    assert (config.name, config.seed, config.sample) == ("Today", 7, "all")


@pytest.mark.parametrize("time", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "'2026-01-01'"])
def test_a_time_in_a_job_file_without_a_zone_is_utc(tmp_path: Path, time: str) -> None:
    config = job_config(file(tmp_path, f"start_time: {time}"), {})
    assert config.start_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_window_of_the_options_replaces_that_of_the_file(tmp_path: Path) -> None:
    relative = file(tmp_path, "last_n_hours: 24")
    absolute = job_config(relative, window("2026-01-01", None))
    assert (absolute.last_n_hours, absolute.start_time) == (None, datetime(2026, 1, 1, tzinfo=UTC))
    until = job_config(relative, window(None, "2026-01-01"))
    assert (until.last_n_hours, until.end_time) == (None, datetime(2026, 1, 1, tzinfo=UTC))
    day = job_config(file(tmp_path, FULL), window("1d", None))
    assert (day.last_n_hours, day.start_time, day.end_time) == (24, None, None)


def test_an_empty_job_file_is_no_option_at_all(tmp_path: Path) -> None:
    assert job_config(file(tmp_path, ""), {}) == job_config(None, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sampel: 3", "unknown option sampel"),
        ("- a", "expected a mapping"),
        ("a: [", "is not YAML"),
        ("sample: many", "sample"),
        ("attribute_schemas: {x: {type: date}}", "attribute_schemas.x.type"),
        ("attribute_schemas: {x: {type: string, enums: [a]}}", "enums"),
        ("start_time: someday", "start_time"),
        ("last_n_hours: 3\nstart_time: 2026-01-01", "last_n_hours"),
    ],
)
def test_what_is_wrong_in_a_job_file_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        job_config(file(tmp_path, text), {})
    assert said in str(error.value)
    assert "job.yaml" in str(error.value)


def test_a_job_file_that_is_absent_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.yaml cannot be read"):
        job_config(tmp_path / "absent.yaml", {})
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(UsageError, match=r"job\.yaml is not YAML"):
        job_config(path, {})


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("36h", 36), ("7d", 168), ("2w", 336), ("1.5d", 36)])
def test_since_takes_a_span_which_stays_relative(text: str, hours: float) -> None:
    config = job_config(None, window(text, None))
    assert config.last_n_hours == hours
    assert is_relative(config)


def test_a_time_keeps_its_zone_and_is_utc_without_one() -> None:
    found = window("2026-01-31T12:00", "2026-02-01T00:00+05:00")
    assert found["start_time"] == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert found["end_time"] == datetime(2026, 2, 1, tzinfo=timezone(timedelta(hours=5)))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("7d", "2026-02-01", "--since '7d' ends now.*leave --until out"),
        ("7d", "1d", "--until '1d' is a span.*2026-01-31"),
        (None, "1h", "--until '1h' is a span.*2026-01-31"),
        ("2026-01-01", "1h", "--until '1h' is a span.*2026-01-31"),
        ("9999999d", "2026-02-01", "leave --until out"),
    ],
)
def test_a_window_that_is_another_one_each_time_is_refused(since: str | None, until: str, said: str) -> None:
    """A stopped job of it would never be taken up again. `--since 7d` alone is frozen in the job."""
    with pytest.raises(UsageError, match=said):
        window(since, until)


@pytest.mark.parametrize(
    "text", ["yesterday", "7x", "0d", "-1d", "d", ".", "²d", "2026-13-01", "1e9d", "9" * 400 + "d"]
)
def test_a_time_that_is_none_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since .*36h, 7d"):
        window(text, "2026-01-01")
    with pytest.raises(UsageError, match=r"--until .*2026-01-31T12:00\.$"):
        window(None, text)


def test_a_prompt_is_text_or_the_file_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "prompt.mustache"
    path.write_text("Read {{run.outputs}}")
    assert prompt_text(str(path)) == "Read {{run.outputs}}"
    assert prompt_text("{{run.inputs}}") == "{{run.inputs}}"
    assert prompt_text(None) is None
    for wrong in ("absent", str(tmp_path), "a\0b"):
        with pytest.raises(UsageError, match="is no file that can be read"):
            prompt_text(wrong)


def test_a_sample_is_a_number_or_all() -> None:
    found: list[Any] = [sample_size(text) for text in (None, "all", "20")]
    assert [str(one) for one in found] == ["None", "all", "20"]
    for wrong in ("0", "-3", "many", "1.5", "", "²", "9" * 5_000):
        with pytest.raises(UsageError, match="at least 1, or all"):
            sample_size(wrong)


def test_an_attribute_is_a_name_a_type_and_a_description() -> None:
    given = [
        "user_satisfied: boolean: was it good: at the end?",
        "refund_usd:number:dollars",
        "x : string",
        "n: number",
    ]
    assert attributes_of(given) == {
        "user_satisfied": {"type": "boolean", "description": "was it good: at the end?"},
        "refund_usd": {"type": "number", "description": "dollars"},
        "x": {"type": "string", "description": ""},
        "n": {"type": "number", "description": ""},
    }
    assert attributes_of(None) is attributes_of([]) is None


@pytest.mark.parametrize(
    ("text", "values", "description"),
    [
        (
            "topic: categorical(billing|login|other): what it is about",
            ["billing", "login", "other"],
            "what it is about",
        ),
        ("topic:categorical ( a | b c ):x: y", ["a", "b c"], "x: y"),
        ("topic: categorical(a: first|b)", ["a: first", "b"], ""),
        ("topic: categorical(only)", ["only"], ""),
    ],
)
def test_a_categorical_attribute_is_a_string_of_given_values(text: str, values: list[str], description: str) -> None:
    assert attributes_of([text]) == {"topic": {"type": "string", "enum": values, "description": description}}
    schema = job_config(None, {"attribute_schemas": attributes_of([text])}).attribute_schemas["topic"]
    assert (schema.type, schema.enum) == ("string", tuple(values))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["satisfied"], "expected name: type: description, such as 'user_satisfied: boolean"),
        (["satisfied:"], "expected name: type: description"),
        ([": boolean: x"], "expected name: type: description"),
        (["was satisfied: boolean: x"], "expected name: type: description"),
        (
            ["x: date: when"],
            "'date' is no type. Known are boolean, boolean.filter., number, string and categorical.a.b.c.",
        ),
        (["x: was the user happy"], "'was the user happy' is no type"),
        (["x: categorical: y"], "expected values in brackets"),
        (["x: categorical(): y"], "expected values in brackets"),
        (["x: categorical(a||b): y"], "expected values in brackets"),
        (["x: categorical(a|b: y"], "expected values in brackets"),
        (["x: categorical(a|b) y"], "expected values in brackets"),
        (["x: categorical(a|b|a): y"], "has a value twice"),
        (["x: number(filter): y"], "'number.filter.' is no type"),
        (["x: boolean: y", "x: number: z"], "--attribute x is given twice"),
    ],
)
def test_an_attribute_that_is_wrong_is_refused_with_an_example(given: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        attributes_of(given)


@pytest.mark.parametrize("kind", ["boolean(filter)", "boolean (filter)", " boolean(filter) "])
def test_a_boolean_may_filter_from_the_command_line(kind: str) -> None:
    schema = job_config(None, {"attribute_schemas": attributes_of([f"refund:{kind}: is it one?"])}).attribute_schemas
    assert schema["refund"] == AttributeSchema(type="boolean", description="is it one?", filter_by=True)
    assert not job_config(None, {"attribute_schemas": attributes_of(["x: boolean"])}).attribute_schemas["x"].filter_by


@pytest.mark.parametrize("name", ["None of these", " NONE of  these "])
def test_the_category_of_what_fits_none_is_not_one_of_the_users(name: str) -> None:
    with pytest.raises(UsageError, match=r"'None of these', which is there by itself .* leave it out"):
        job_config(None, {"partitions": categories_of([f"{name}: the rest"])})


def test_a_category_is_a_name_and_perhaps_a_description() -> None:
    assert categories_of(["Billing: invoices: refunds", " Login ", "Other:"]) == {
        "Billing": "invoices: refunds",
        "Login": "",
        "Other": "",
    }
    assert categories_of(None) is categories_of([]) is None
    with pytest.raises(UsageError, match=r"expected name: description, such as 'Billing"):
        categories_of([": about money"])
    with pytest.raises(UsageError, match="--category 'A' is given twice"):
        categories_of(["A: x", "A : y"])
    with pytest.raises(UsageError, match="at most 10"):
        job_config(None, {"partitions": categories_of([f"c{n}" for n in range(11)])})


def test_examples_are_a_file_of_texts_by_category(tmp_path: Path) -> None:
    path = file(tmp_path, "Billing: ['Where is my invoice?', I want my money back]\nLogin: []")
    found = examples_of(path)
    assert found == {"Billing": ["Where is my invoice?", "I want my money back"], "Login": []}
    config = job_config(None, {"partitions": {"Billing": "", "Login": ""}, "partition_examples": found})
    assert config.partition_examples["Billing"] == ("Where is my invoice?", "I want my money back")
    assert examples_of(None) is None


@pytest.mark.parametrize("text", ["- a", "Billing: one", "Billing: [1, 2]", "", "Billing: {a: b}", "a: ["])
def test_a_file_of_examples_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"job\.yaml.*(expected a list of texts for each category|is not YAML)"):
        examples_of(file(tmp_path, text))


def test_examples_of_a_category_that_is_not_given_are_refused() -> None:
    with pytest.raises(UsageError, match="`partition_examples` has Bills, which `partitions` has not"):
        job_config(None, {"partitions": {"Billing": ""}, "partition_examples": {"Bills": ["a"]}})


def test_categories_of_the_options_keep_the_examples_that_the_file_has_of_them(tmp_path: Path) -> None:
    path = file(tmp_path, "partitions: {A: x, B: y}\npartition_examples: {A: [one], B: [two]}")
    config = job_config(path, {"partitions": categories_of(["B: z", "C"])})
    assert (config.partitions, config.partition_examples) == ({"B": "z", "C": ""}, {"B": ("two",)})
    assert job_config(path, {}).partition_examples == {"A": ("one",), "B": ("two",)}


@pytest.mark.parametrize("examples", [{"A": ["x"] * 101}, {"A": ["x" * 2_001]}, {"A": [""]}])
def test_examples_are_bounded_and_not_empty(examples: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError, match="partition_examples"):
        job_config(None, {"partitions": {"A": ""}, "partition_examples": examples})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("auto,10", (None, 10)), ("12,auto", (12, None)), ("30,8", (30, 8)), (" 30 , auto ", (30, None))],
)
def test_a_hierarchy_is_the_number_of_subcategories_and_of_categories(
    text: str, expected: tuple[int | None, int | None]
) -> None:
    assert hierarchy_of(text) == expected
    assert job_config(None, {"hierarchy": hierarchy_of(text)}).hierarchy == expected
    assert hierarchy_of(None) is None


@pytest.mark.parametrize("text", ["10", "10,", "0,2", "-1,2", "a,b", "1,2,3", "1.5,2", "²,1", "", "9" * 5_000 + ",1"])
def test_a_hierarchy_that_is_wrong_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"--hierarchy .*auto,10 .*12,auto\.$"):
        hierarchy_of(text)


def test_fewer_subcategories_than_categories_are_refused() -> None:
    with pytest.raises(UsageError, match="leaves must not be fewer than top"):
        job_config(None, {"hierarchy": hierarchy_of("8,30")})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--attribute", "satisfied"], "such as 'user_satisfied: boolean"),
        (["--category", ": x"], "such as 'Billing: invoices, refunds'"),
        (["--category", "A", "--examples", "absent.yaml"], "absent.yaml cannot be read"),
        (["--hierarchy", "many"], "such as auto,10"),
        (["--max-leaves", "10001"], "max_leaves"),
        (["--attribute", "x: boolean: \udcff"], "--attribute 'x: boolean: \\udcff' is not UTF-8"),
    ],
)
def test_the_command_says_what_is_wrong_with_an_option_before_the_work(
    tmp_path: Path, options: list[str], said: str
) -> None:
    outcome = insights("analyze", "absent.jsonl", "--data", tmp_path, *options)
    assert outcome.code == 2
    assert said in outcome.err
