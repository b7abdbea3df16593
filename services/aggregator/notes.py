"""What a reader must know to trust a report: what the engine could not do of what was asked, and how sure it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared import values
from shared.job_config import JobConfig
from shared.models import Job
from shared.trust import BY_WORDS, REPEATED_UP_TO, UNKNOWN
from shared.wording import percent

FOREIGN = 0.2  # the share of traces in other languages than English from which the reader is told
SHOWN_LANGUAGES = 5
SHOWN_VALUE = 60  # characters
OURS = "minilm"  # how the names of our own encoders begin
AGREEMENT = ((0.9, "nearly the same"), (0.75, "mostly the same"), (0.5, "only partly the same"))


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
        share = percent(names["attracted"] / names["tried"])
        renamed = f" {names['renamed']:,} were named once more for that." if names["renamed"] else ""
        if names.get("same_members"):
            renamed += f" For {names['same_members']:,} there were no others to try the new name with, which flatters."
        yield (
            f"Names attract {share} of unseen members: of {names['tried']:,} {job.config.unit}s, the model put "
            f"{names['attracted']:,} where they are by the names of subcategories alone.{renamed}"
        )
    if doubtful.get("placed"):
        yield (
            f"Where {job.config.unit}s lie between two subcategories, the model decided: {doubtful['placed']:,} of "
            f"{doubtful['items']:,}."
        )
    if given.get("asked_again"):
        yield (
            f"Where a {job.config.unit} lay in another category than those most like it, the model was asked again: "
            f"{given['asked_again']:,} times, with {given['changed']:,} changed."
        )
    if given.get("without_answer"):
        yield f"Put into their category without the model, which gave no place: {given['without_answer']:,}."


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
            questions = "question" if counts["answer"] == 1 else "questions"
            yield f"The model gave no answer that can be used to {counts['answer']:,} {questions} on {made}."


def _local(config: JobConfig) -> Iterator[str]:
    yield (
        "Made without a model: summaries are the traces' own sentences, and a name is chosen by a grammar and a list. "
        "It may fit only some of the traces below it: open a few before you rely on it."
    )
    if config.summary_prompt:
        yield "The summary prompt chose which parts of a trace count; its instructions need a model."


def _attributes(job: Job, whole: Mapping[str, Any]) -> Iterator[str]:
    known = {name: whole["attributes"][name] for name in job.config.attribute_schemas}
    never = [name for name, found in known.items() if not found["n"]]
    partly = [f"{name} in {found['unknown']:,}" for name, found in known.items() if found["n"] and found["unknown"]]
    if never:
        yield f"Unknown in every {job.config.unit}: {', '.join(never)}. A model would know more."
    if partly:
        yield (
            f"Unknown, of {whole['run_count']:,} {job.config.unit}s: {', '.join(partly)}. Without a model an attribute "
            f"is known only where the {job.config.unit} says it clearly; a model would know more."
        )
    if any(schema.filter_by for schema in job.config.attribute_schemas.values()):
        yield f"No {job.config.unit} was left out by a filter attribute, since its value is not known surely enough."


def _values(trust: Mapping[str, Any]) -> Iterator[str]:
    """What was counted as one value though it was written in several ways."""
    for name, one in sorted(values.load(trust).items()):
        first = one.dump()["merged"][0]
        spelling, value = (repr(text[:SHOWN_VALUE]) for text in (first["spellings"][0], first["value"]))
        yield (
            f"{one.spellings:,} spellings of {name} became {one.values:,} values: "
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
    told = [f"the {name} come out {_agreement(value)} ({value:.2f})" for name, value in levels if value is not None]
    if told:
        yield f"When clustering is repeated, {', '.join(told)}; 1 is full agreement, 0 is chance."
    elif whole["run_count"] > REPEATED_UP_TO:
        yield (
            f"Whether the categories would come out the same again was not looked at, since there are more than "
            f"{REPEATED_UP_TO:,} {job.config.unit}s."
        )


def _agreement(value: float) -> str:
    """The adjusted Rand index in words."""
    return next((words for least, words in AGREEMENT if value >= least), "mostly different")
