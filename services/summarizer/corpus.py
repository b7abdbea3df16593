"""What the sample has in common: the sentences that most traces share, and the paths that the prompt names.

Source: `trace-summaries.md` section 2 of the project's studies: sentences in more than 30 % of traces are template.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.summarizer.context import load_contexts
from shared.content import sentence_key, split, turns
from shared.errors import ItemError
from shared.frozen import prompt_of
from shared.models import Item, Job, Plan
from shared.prompts import PathCheck, Prompt, values_only
from shared.store import Store

LOOKED_AT = 2_000  # items
SENTENCES = 500  # of one item
KEPT = 5_000  # sentences in the plan
MORE_THAN = 5  # items must share a sentence for it to be common
PAGE = 100


async def survey(store: Store, job: Job, items: Sequence[Item]) -> Plan:
    """The job's plan. `items` come in random order. Raises PromptError if no item has a path that the prompt names."""
    prompt = prompt_of(job)
    check = PathCheck(prompt)
    counts: Counter[str] = Counter()
    documents = 0
    for start in range(0, len(items), PAGE):
        if documents >= LOOKED_AT and check.done:
            break
        loaded = await load_contexts(store, items[start : start + PAGE], prompt)
        contexts = [context for context in loaded if not isinstance(context, ItemError)]
        for context in contexts:
            check.look(context)
        if documents < LOOKED_AT:
            counts.update(await asyncio.to_thread(_sentences, prompt, contexts))
            documents += len(contexts)
    check.require()
    common = {key: n / documents for key, n in counts.most_common(KEPT) if n > MORE_THAN}
    return Plan(workspace_id=job.workspace_id, job_id=job.id, documents=documents, common=common)


def _sentences(prompt: Prompt, contexts: Sequence[dict[str, Any]]) -> Counter[str]:
    """In how many of the contexts each sentence is."""
    counts: Counter[str] = Counter()
    for context in contexts:
        sentences = [
            sentence_key(sentence)
            for turn in turns(values_only(prompt.render(context)))
            for sentence in split(turn.text)
        ]
        counts.update(set(sentences[:SENTENCES]))
    return counts
