"""A job may name a summary prompt; every one that there is can be used."""

import pytest

from shared.errors import PromptError
from shared.prompts import parse
from shared.summary_prompts import names, template


def test_every_named_prompt_reads_inputs_and_outputs_and_says_what_to_look_for() -> None:
    assert names() == ("error-analysis", "usage-patterns")
    for name in names():
        assert {"run.inputs", "run.outputs"} <= parse(template(name)).paths
    assert "run.error" in parse(template("error-analysis")).paths


def test_a_prompt_of_ones_own_is_left_as_it_is() -> None:
    assert template("Topic of {{run.inputs}}?") == "Topic of {{run.inputs}}?"
    assert template("{{run.inputs}}") == "{{run.inputs}}"


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(PromptError, match="'errors': name error-analysis or usage-patterns, or write one"):
        template("errors")
