"""The engine with a model: the local engine's tree, named, grouped and checked by the model.

Every item lies in exactly one leaf, as without a model; what the model does not answer stays as it is without one, and
`Found.trust` counts that. Nothing depends on the order in which answers come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.categorizer import engines
from services.categorizer.assigning import Assigned, assign_items
from services.categorizer.draft import Draft
from services.categorizer.found import NOBODY, Category, Found, Leaf, Named
from services.categorizer.leaf_names import name_leaves
from services.categorizer.sample import Sample
from services.categorizer.top_level import Grouped, group_leaves
from services.categorizer.trying import Tried, try_names
from services.categorizer.vectors import with_vectors
from shared.asking import Asker, Purpose
from shared.job_config import JobConfig
from shared.models import FEW, Job, Stage
from shared.questions import Questions
from shared.worker import run_in_process


async def categorize(sample: Sample, job: Job, asker: Asker) -> Found:
    """As `local.categorize`, for what the model costs. Raises JobError and ModelAwayError, no error of one answer.

    Of fewer than FEW items the report shows no categories: the model is asked nothing.
    """
    if len(sample) < FEW:
        return await run_in_process(engines.local, sample, job.config)
    questions = Questions(asker, Purpose.of(job, Stage.CATEGORIES), job.config.cluster_model, __package__)
    if model := job.config.embedding_model:
        sample = await with_vectors(sample, asker, Purpose.of(job, Stage.VECTORS), model)
    assigned = None
    if job.config.partitions:
        around = await run_in_process(engines.surroundings, sample, job.config)
        assigned = await assign_items(questions, around, job.config)
    draft = await run_in_process(engines.look, sample, job.config, assigned.place if assigned else None)
    return await refine(questions, draft, job.config, assigned)


async def refine(questions: Questions, draft: Draft, config: JobConfig, assigned: Assigned | None = None) -> Found:
    """What is found once the model has seen the draft; `assigned`, where categories are given."""
    given = [category.name for category in draft.found.categories] if assigned else ()
    names = await name_leaves(questions, draft, given)
    grouped = None if assigned else await _grouped(questions, draft, names, config.hierarchy[1])
    tried = await try_names(questions, draft, names, [one.leaves for one in grouped] if grouped else draft.groups)
    categories = _categories(draft, grouped, tried)
    if assigned:
        categories = [_described(one, config.partitions) for one in categories]
    else:
        categories.sort(key=lambda one: (-one.size, one.name))
    return replace(draft.found, categories=categories, trust=_trust(draft, questions, tried, assigned, grouped))


async def _grouped(questions: Questions, draft: Draft, names: Sequence[Named], top: int | None) -> list[Grouped] | None:
    """None: the categories of the draft stand. A single leaf is its own category."""
    if len(names) == 1:
        return [Grouped(names[0], [0])]
    sizes = [len(leaf.members) for leaf in draft.leaves]
    return await group_leaves(questions, names, sizes, draft.likeness, top)


def _categories(draft: Draft, grouped: Sequence[Grouped] | None, tried: Sequence[Tried]) -> list[Category]:
    leaves = _moved(draft.leaves, tried)
    if grouped:
        heads = [(one.named, one.leaves) for one in grouped]
    else:
        found = zip(draft.found.categories, draft.groups, strict=True)
        heads = [(Named(category.name, category.description), group) for category, group in found]
    return [
        Category(head.name, head.description, _by_size([_named(leaves[at], own.names[at]) for at in group]))
        for (head, group), own in zip(heads, tried, strict=True)
    ]


def _described(category: Category, given: Mapping[str, str]) -> Category:
    """One that the user gave without a description says what its largest leaf says."""
    if category.name not in given or given[category.name]:
        return category
    return replace(category, description=category.leaves[0].description if category.leaves else NOBODY)


def _named(leaf: Leaf, named: Named) -> Leaf:
    return replace(leaf, name=named.name, description=named.description)


def _by_size(leaves: Sequence[Leaf]) -> list[Leaf]:
    return sorted(leaves, key=lambda leaf: (-len(leaf.members), leaf.members[0]))


def _moved(leaves: Sequence[Leaf], tried: Sequence[Tried]) -> list[Leaf]:
    """The leaves after doubtful items went where the model put them; no leaf loses its last item."""
    held = [dict(zip(leaf.members, leaf.confidence, strict=True)) for leaf in leaves]
    home = {item: at for at, leaf in enumerate(leaves) for item in leaf.members}
    for item, to in ((item, to) for one in tried for item, to in one.moved.items()):
        if to != home[item] and len(held[home[item]]) > 1:
            held[to][item] = held[home[item]].pop(item)
    ordered = [sorted(one.items(), key=lambda pair: (-pair[1], pair[0])) for one in held]
    return [
        replace(leaf, members=[item for item, _ in one], confidence=[sure for _, sure in one])
        for leaf, one in zip(leaves, ordered, strict=True)
    ]


def _trust(
    draft: Draft,
    questions: Questions,
    tried: Sequence[Tried],
    assigned: Assigned | None,
    grouped: Sequence[Grouped] | None,
) -> dict[str, Any]:
    """That of the local engine, and what the model's part in it is worth (see `shared/trust.py`)."""
    trust = dict(draft.found.trust)
    if grouped and trust["stability"]:
        trust["stability"] = {**trust["stability"], "top": None}  # of the categories that the model replaced
    trust["names"] = {
        "tried": sum(one.tried for one in tried),
        "attracted": sum(one.attracted for one in tried),
        "renamed": sum(one.renamed for one in tried),
        "same_members": sum(one.same_members for one in tried),
    }
    trust["doubtful"] = {
        "items": len(draft.doubtful),
        "placed": sum(len(one.moved) for one in tried),
    }
    if assigned is not None:
        trust["given"] = {
            "asked_again": assigned.asked_again,
            "changed": assigned.changed,
            "without_answer": assigned.without_answer,
        }
    trust["questions"] = {"asked": questions.asked, **dict(sorted(questions.unanswered.items()))}
    return trust
