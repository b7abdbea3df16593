"""The notes tell how far a report can be trusted, and nothing that nobody looked at."""

from typing import Any

import pytest

from services.aggregator.figures import Table
from services.aggregator.notes import notes
from shared.job_config import JobConfig
from shared.models import Facts
from tests.services.conftest import job


def told(trust: dict[str, Any] | None = None, *, size: int = 100, **config: Any) -> str:
    """The notes in one text, of a job in whose sample attribute `x` is known in every second item."""
    table = Table(JobConfig(**config).attribute_schemas)
    for n in range(size):
        table.add((), Facts(), {"x": n % 2 == 0 if n % 2 else None})
    return " ".join(notes(job(config=config), trust or {}, table.whole()))


def test_a_report_without_a_model_says_so_and_no_more_where_nothing_else_is_to_be_said() -> None:
    assert told() == (
        "Made without a model: summaries are the traces' own sentences, and names are put together by rules. A name "
        "may fit only some of what is below it: open a few traces of a category before you act on its name."
    )


def test_agreement_is_told_as_a_word_with_its_figure_and_what_follows() -> None:
    text = told({"stability": {"leaves": 0.61, "top": 0.97}})
    assert "All traces were grouped again twice, and half of them once. The categories (0.97) came out nearly" in text
    assert "The subcategories (0.61) came out only partly the same: rely on what they are about" in text
    assert "(1: the same each time; 0: as by chance.)" in text


def test_levels_that_agree_alike_share_a_sentence() -> None:
    text = told({"stability": {"leaves": 0.81, "top": 0.79}})
    assert "The categories (0.79) and the subcategories (0.81) came out mostly the same: take their figures" in text


@pytest.mark.parametrize(
    ("value", "word"),
    [(1.0, "nearly the same"), (0.8, "mostly the same"), (0.5, "only partly the same"), (-0.1, "mostly different")],
)
def test_the_word_follows_the_figure(value: float, word: str) -> None:
    text = told({"stability": {"leaves": value, "top": None}})
    assert f"The subcategories ({value:.2f}) came out {word}: " in text
    assert "categories (" not in text.replace("subcategories (", "")


@pytest.mark.parametrize(
    ("attracted", "word"), [(90, "The names fit"), (70, "Most names fit"), (20, "Many names do not fit")]
)
def test_what_follows_from_the_names_is_said(attracted: int, word: str) -> None:
    text = told({"names": {"tried": 100, "attracted": attracted, "renamed": 0}}, engine="model")
    assert word in text
    assert f"the right subcategory of {attracted} ({attracted} %) by the names alone" in text


def test_agreement_that_was_not_looked_at_is_said_to_be_so_where_the_sample_is_too_large() -> None:
    assert "not looked at, since there are more than 20,000 traces" in told({"stability": None}, size=20_001)
    assert "looked at" not in told({"stability": None}, size=20_000)
    assert "looked at" not in told({}, size=20_001)


def test_without_weights_the_reader_learns_what_to_do() -> None:
    text = told({"vectors": "tfidf", "languages": {"ru": 100}})
    assert "compared by their words alone (TF-IDF)" in text
    assert "`make install`" in text
    assert "English" not in text, "words know no language"
    assert "TF-IDF" not in told({"vectors": "minilm-int8"})


def test_other_languages_are_told_where_they_are_more_than_a_fifth_of_the_clear_ones() -> None:
    text = told({"vectors": "minilm-fp32", "languages": {"en": 79, "ru": 11, "de": 10, "unknown": 900}})
    assert "21 of 100 traces whose language is clear are not in English (21 %; ru 11, de 10)" in text
    assert "know English only" in text
    assert "English" not in told({"languages": {"en": 80, "ru": 20, "unknown": 5}})
    assert "English" not in told({"languages": {"unknown": 5}})


def test_that_attributes_are_mostly_unknown_without_a_model_is_said_where_it_is_so() -> None:
    assert "Attributes (x) are known only where a trace plainly states them" in told(
        attribute_schemas={"x": {"type": "boolean"}}
    )
    assert "plainly" not in told(size=0, attribute_schemas={"x": {"type": "boolean"}})
    text = told(attribute_schemas={"x": {"type": "boolean", "filter_by": True}})
    assert "No trace was left out by an attribute" in text


def test_what_was_asked_for_and_not_done_is_told() -> None:
    assert "its instructions need a model" in told(summary_prompt="Be short: {{run.inputs}}")
    assert "the number of top categories that was asked for" in told(partitions={"A": ""}, hierarchy=(None, 5))
    assert "threads were compared" in told({"vectors": "tfidf"}, unit="thread")


@pytest.mark.parametrize("engine", ["local", "model"])
def test_values_that_count_as_one_are_told_with_an_example(engine: str) -> None:
    merged = [{"value": "refund", "spellings": ["Refunds", "refund_request"]}]
    trust = {"values": {"topic": {"spellings": 1_200, "values": 7, "merged": merged}}}
    text = told(trust, engine=engine)
    assert "1,200 spellings of topic became 7 values: 'Refunds', for one, counts as 'refund'." in text
    assert "spellings" not in told({"values": {}}, engine=engine)


def test_of_a_model_it_is_told_how_many_find_their_way_by_its_names() -> None:
    trust = {"names": {"tried": 150, "attracted": 130, "renamed": 2}, "doubtful": {"items": 9, "placed": 7}}
    text = told({**trust, "questions": {"asked": 30}, "findings": {"refused": 1}}, engine="model")
    assert "of 150 traces that no name was made from, the model found the right subcategory of 130 (87 %)" in text
    assert "Made anew on the way, since they did badly: 2." in text
    assert "9 traces lay between two subcategories, and the model decided on 7 of them" in text
    assert "without a model" not in text
    same = {"names": {"tried": 150, "attracted": 130, "renamed": 2, "same_members": 1}}
    assert "For 1 there were no others to try the new name with" in told(same, engine="model")
    assert told({"names": {"tried": 0, "attracted": 0, "renamed": 0}}, engine="model") == ""


def test_what_a_model_left_undone_is_told_with_what_to_do() -> None:
    text = told({"questions": {"asked": 9, "budget": 4}, "findings": {"answer": 1}}, engine="model")
    assert "names and categories are partly or wholly made without a model: raise the budget" in text
    assert "no answer that can be used to 1 question on title, key findings and highlights" in text
    given = {"given": {"asked_again": 5, "changed": 3, "without_answer": 2}}
    text = told(given, engine="model")
    assert "so that the model was asked twice: it moved 3." in text
    assert "The model gave no category for 2 traces: likeness alone decided" in text


def test_where_the_budget_did_not_pay_for_vectors_no_weights_are_asked_for() -> None:
    text = told({"vectors": "tfidf"}, engine="model", embedding_model="far-model")
    assert "did not pay for the vectors of far-model" in text
    assert "make install" not in text


def test_vectors_of_an_endpoint_are_not_said_to_know_english_only() -> None:
    assert "English" not in told({"vectors": "text-embedding-3-small", "languages": {"ru": 100}}, engine="model")
    assert "English" in told({"vectors": "minilm-int8", "languages": {"ru": 100}}, engine="model")
