"""What comes after the items, by rule: vectors, categories and findings, from how many items there are.

The rules follow services/categorizer and services/aggregator: how many items a question holds, and how long each is.
"""

import math

from shared.asking import TEXTS
from shared.estimate import Later
from shared.job_config import JobConfig
from shared.models import FEW, Stage

SUMMARY = 55  # tokens of a summary, as it comes into another prompt
LEAVES_OF_ROOT = 1.6  # subcategories are about this times the root of the items: 12 of 98, 34 of 296, 50 of 985
LEAST_OF_LEAF = 8  # items of a subcategory, on average, where there are few
LEAVES_OF_TOP = 4  # subcategories of a category
INSTRUCTIONS = 280  # tokens of a question with its schema
SHOWN = 10  # items that a subcategory is named by, its outsiders with them
QUESTION = 4_000  # tokens of the items in a question of names
NAMED = 45  # tokens of a name with its description
UNSEEN, ALL_UNSEEN = 4, 200  # items that a name is tried with: of a subcategory, and altogether
DOUBTFUL, ALL_DOUBTFUL = 0.05, 100  # share of the items whose place the model decides, and how many at most
PLACED = 25  # items of a question
PLACE = 14  # tokens of an item's place
AGAIN = 0.03  # share of the items of given categories that are asked for once more, alone
FIGURES = 60  # tokens of a category's figures
FINDINGS, FINDINGS_OUT = 3, 1_000  # questions, and tokens of their answers


def later(config: JobConfig, items: int) -> list[Later]:
    """The calls of a whole job, of so many items."""
    if items < FEW:
        return _vectors(config, items)
    leaves = _leaves(config, items)
    stages = [*_vectors(config, items), _names(config, leaves), _top(config, leaves), _tried(config, items, leaves)]
    stages += [_assigned(config, items)] if config.partitions else []
    return [*stages, _findings(config, leaves)]


def _leaves(config: JobConfig, items: int) -> int:
    guess = round(min(LEAVES_OF_ROOT * math.sqrt(items), items / LEAST_OF_LEAF))
    return config.hierarchy[0] or max(1, min(guess, config.max_leaves or guess))


def _tops(config: JobConfig, leaves: int) -> float:
    return len(config.partitions) or max(1, leaves / LEAVES_OF_TOP)


def _vectors(config: JobConfig, items: int) -> list[Later]:
    if config.embedding_model is None:
        return []
    return [Later(Stage.VECTORS, config.embedding_model, math.ceil(items / TEXTS), items * SUMMARY, 0, 0)]


def _names(config: JobConfig, leaves: int) -> Later:
    """And those that attract too few once more: one in ten, of every second category."""
    text = leaves * SHOWN * (SUMMARY + 3)
    calls = math.ceil(text / QUESTION) + round(_tops(config, leaves) / 2)
    return _categories(config, calls, text * 1.1, leaves * NAMED * 1.1)


def _top(config: JobConfig, leaves: int) -> Later:
    if config.partitions or leaves < 2:
        return _categories(config, 0, 0, 0)
    return _categories(config, 1, leaves * (NAMED + 15), leaves * 4 + leaves / LEAVES_OF_TOP * NAMED)


def _tried(config: JobConfig, items: int, leaves: int) -> Later:
    """Of each category its own items among its own subcategories; twice where a name was written once more."""
    placed = min(UNSEEN * leaves, ALL_UNSEEN, items / 3) + min(DOUBTFUL * items, ALL_DOUBTFUL)
    calls = math.ceil(1.5 * max(_tops(config, leaves), placed / PLACED))
    return _categories(config, calls, 1.2 * (placed * (SUMMARY + 12) + leaves * NAMED), 1.2 * placed * PLACE)


def _assigned(config: JobConfig, items: int) -> Later:
    told = sum(len(name) + len(about) for name, about in config.partitions.items()) / 4
    again = math.ceil(AGAIN * items)
    calls = math.ceil(items / PLACED) + again
    return _categories(config, calls, (items + again) * (SUMMARY + 12) + calls * told, (items + again) * PLACE)


def _findings(config: JobConfig, leaves: int) -> Later:
    read = FINDINGS * INSTRUCTIONS + leaves * (1 + 1 / LEAVES_OF_TOP) * FIGURES + PLACED * (SUMMARY + 40)
    return Later(Stage.FINDINGS, config.cluster_model, FINDINGS, round(read), FINDINGS_OUT, 2 * FINDINGS_OUT)


def _categories(config: JobConfig, calls: int, data: float, output: float) -> Later:
    read = round(calls * INSTRUCTIONS + data)
    return Later(Stage.CATEGORIES, config.cluster_model, calls, read, round(output), round(2 * output))
