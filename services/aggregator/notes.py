"""What a reader must know to trust a report: what the engine could not do of what was asked, and how sure it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared import values
from shared.job_config import JobConfig
from shared.models import Job
from shared.trust import BY_WORDS, REPEATED_UP_TO, UNKNOWN
from shared.wording import counted, percent

FOREIGN = 0.2  # the share of traces in other languages than English from which the reader is told
SHOWN_LANGUAGES = 5
SHOWN_VALUE = 60  # characters
OURS = "minilm"  # how the names of our own encoders begin
AGREEMENT = (  # adjusted Rand index from which on the words hold, what they are, and what follows
    (0.9, "nearly the same", "their figures can be relied on"),
    (0.75, "mostly the same", "take their figures as approximate"),
    (0.5, "only partly the same", "rely on what they are about, and less on their sizes"),
    (-1.0, "mostly different", "read them as examples, and do not rely on their sizes"),
)
ATTRACTED = (  # share from which on the words hold, what they are, and what follows
    (0.85, "The names fit what is below them", "they can be relied on"),
    (0.6, "Most names fit what is below them", "open a few traces of a category before you act on its name"),
    (0.0, "Many names do not fit what is below them", "go by the traces and not by the names"),
)


def notes(job: Job, trust: Mapping[str, Any], whole: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence each. `trust` is the categorizer's word on its own work, `whole` the figures of the sample."""
    if job.config.engine == "local":
        first = (*_local(job.config), *_attributes(job, whole))
    else:
        first = (*_names(job, trust), *_unanswered(job, trust))
    return (*first, *_values(trust), *_given(job.config), *_vectors(job, trust), *_stability(job, trust, whole))


def _given(config: JobConfig) -> Iterator[str]:
    if config.partitions and config.hierarchy[1] is not None:
        yield "The categories are the given ones: the number of top categories that was asked for is not used."


def _names(job: Job, trust: Mapping[str, Any]) -> Iterator[str]:
    names, doubtful, given = (trust.get(key) or {} for key in ("names", "doubtful", "given"))
    if names.get("tried"):
        yield _attraction(names, job.config.unit)
    if doubtful.get("placed"):
        yield (
            f"{counted(doubtful['items'], job.config.unit)} lay between two subcategories, and the model decided on "
            f"{doubtful['placed']:,} of them: they could as well stand in the other."
        )
    if given.get("asked_again"):
        yield (
            f"{counted(given['asked_again'], job.config.unit)} lay in another category than what is most like it, so "
            f"that the model was asked twice: it moved {given['changed']:,}."
        )
    if given.get("without_answer"):
        yield (
            f"The model gave no category for {counted(given['without_answer'], job.config.unit)}: likeness alone "
            "decided, which is less sure."
        )


def _attraction(names: Mapping[str, int], unit: str) -> str:
    """A name is good if somebody who knows only the names finds the place of what it was not made from."""
    share = names["attracted"] / names["tried"]
    words, follows = _words(ATTRACTED, share)
    renamed = f" Made anew on the way, since they did badly: {names['renamed']:,}." if names["renamed"] else ""
    if names.get("same_members"):
        renamed += f" For {names['same_members']:,} there were no others to try the new name with, which flatters."
    return (
        f"{words}: of {counted(names['tried'], unit)} that no name was made from, the model found the "
        f"right subcategory of {names['attracted']:,} ({percent(share)}) by the names alone; {follows}.{renamed}"
    )


def _unanswered(job: Job, trust: Mapping[str, Any]) -> Iterator[str]:
    """What was made without the model, and why."""
    for part, made in (("questions", "names and categories"), ("findings", "title, key findings and highlights")):
        counts = trust.get(part) or {}
        if counts.get("budget"):
            yield (
                f"The budget was used up, so that {made} are partly or wholly made without a model: raise the budget "
                "and ask for the report again, which pays only for what is missing."
            )
        if counts.get("answer"):
            yield (
                f"The model gave no answer that can be used to {counted(counts['answer'], 'question')} on {made}: "
                "there, the report says what it would say without a model."
            )


def _local(config: JobConfig) -> Iterator[str]:
    yield (
        "Made without a model: summaries are the traces' own sentences, and names are put together by rules. A name "
        "may fit only some of what is below it: open a few traces of a category before you act on its name."
    )
    if config.summary_prompt:
        yield "The summary prompt chose which parts of a trace count; its instructions need a model."


def _attributes(job: Job, whole: Mapping[str, Any]) -> Iterator[str]:
    partly = [name for name in job.config.attribute_schemas if whole["attributes"][name]["unknown"]]
    if partly:
        yield (
            f"Attributes ({', '.join(partly)}) are known only where a {job.config.unit} plainly states them, and their "
            f"figures are of these alone: --engine model would know them of more {job.config.unit}s."
        )
    if any(schema.filter_by for schema in job.config.attribute_schemas.values()):
        yield (
            f"No {job.config.unit} was left out by an attribute, since its value is not known surely enough without a "
            "model: --engine model would leave them out."
        )


def _values(trust: Mapping[str, Any]) -> Iterator[str]:
    """What was counted as one value though it was written in several ways."""
    for name, one in sorted(values.load(trust).items()):
        first = one.dump()["merged"][0]
        spelling, value = (repr(text[:SHOWN_VALUE]) for text in (first["spellings"][0], first["value"]))
        yield (
            f"{counted(one.spellings, 'spelling')} of {name} became {counted(one.values, 'value')}: "
            f"{spelling}, for one, counts as {value}."
        )


def _vectors(job: Job, trust: Mapping[str, Any]) -> Iterator[str]:
    if trust.get("vectors") == BY_WORDS and job.config.embedding_model:
        yield (
            f"The budget did not pay for the vectors of {job.config.embedding_model}, so {job.config.unit}s were "
            "compared by their words alone (TF-IDF), and the categories are worse: raise it, and ask again."
        )
        return
    if trust.get("vectors") == BY_WORDS:
        yield (
            f"There are no weights for language vectors, so {job.config.unit}s were compared by their words alone "
            "(TF-IDF), and the categories are worse: run `make install`, and ask for the report again."
        )
        return
    if not str(trust.get("vectors", OURS)).startswith(OURS):
        return  # what an endpoint's vectors know, it says
    counts = dict(trust.get("languages") or {})
    counts.pop(UNKNOWN, None)
    known, foreign = sum(counts.values()), sum(n for language, n in counts.items() if language != "en")
    if known and foreign / known > FOREIGN:
        most = sorted(((n, code) for code, n in counts.items() if code != "en"), key=lambda one: (-one[0], one[1]))
        shown = ", ".join(f"{code} {n:,}" for n, code in most[:SHOWN_LANGUAGES])
        yield (
            f"{foreign:,} of {known:,} {job.config.unit}s whose language is clear are not in English "
            f"({percent(foreign / known)}; {shown}). The language vectors know English only: do not trust the "
            "categories of the others."
        )


def _stability(job: Job, trust: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[str]:
    if "stability" not in trust:
        return
    found = trust["stability"] or {}
    levels = [(name, found.get(key)) for name, key in (("categories", "top"), ("subcategories", "leaves"))]
    told: dict[tuple[str, str], list[str]] = {}
    for name, value in levels:
        if value is not None:
            told.setdefault(_words(AGREEMENT, value), []).append(f"the {name} ({value:.2f})")
    if told:
        yield (
            f"Would the same groups come out again? All {job.config.unit}s were grouped again twice, and half of them "
            f"once. {' '.join(map(_agreement, told, told.values()))} (1: the same each time; 0: as by chance.)"
        )
    elif whole["run_count"] > REPEATED_UP_TO:
        yield (
            f"Whether the categories would come out the same again was not looked at, since there are more than "
            f"{REPEATED_UP_TO:,} {job.config.unit}s."
        )


def _agreement(scale: tuple[str, str], levels: Sequence[str]) -> str:
    words, follows = scale
    named = " and ".join(levels)
    return f"{named[:1].upper()}{named[1:]} came out {words}: {follows}."


def _words(scale: Sequence[tuple[float, str, str]], value: float) -> tuple[str, str]:
    return next((words, follows) for least, words, follows in scale if value >= least)
