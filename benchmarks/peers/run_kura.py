"""Runs in Kura's own virtual environment, with its defaults: summaries, clusters, and a hierarchy over them.

    OPENAI_BASE_URL=... OPENAI_API_KEY=... python run_kura.py CONVERSATIONS.json

CONVERSATIONS holds lists of {"role": "user" or "assistant", "content": text}. Written to standard output:
{"conversations": n, "clusters": n, "roots": n}. What it cost is read at the endpoint.

Two settings are not the defaults. With its 50 naming calls at once a run of 250 conversations never ended: 5. Its
k-means draws from NumPy's global generator, which is seeded.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
from kura.cluster import ClusterDescriptionModel, generate_base_clusters_from_conversation_summaries
from kura.meta_cluster import MetaClusterModel, reduce_clusters_from_base_clusters
from kura.summarisation import SummaryModel, summarise_conversations
from kura.types import Conversation, Message

AT_ONCE = 5
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    np.random.seed(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        conversations = [_conversation(str(at), messages) for at, messages in enumerate(json.load(file))]
    json.dump(asyncio.run(_counts(conversations)), sys.stdout)


async def _counts(conversations: list[Conversation]) -> dict[str, int]:
    summaries = await summarise_conversations(conversations, model=SummaryModel(max_concurrent_requests=AT_ONCE))
    describe = ClusterDescriptionModel(max_concurrent_requests=AT_ONCE)
    clusters = await generate_base_clusters_from_conversation_summaries(summaries, clustering_model=describe)
    tree = await reduce_clusters_from_base_clusters(clusters, model=MetaClusterModel(max_concurrent_requests=AT_ONCE))
    roots = sum(cluster.parent_id is None for cluster in tree)
    return {"conversations": len(conversations), "clusters": len(clusters), "roots": roots}


def _conversation(name: str, messages: list[dict[str, Any]]) -> Conversation:
    told = [Message(role=one["role"], content=one["content"], created_at=START) for one in messages]
    return Conversation(chat_id=name, created_at=START, messages=told, metadata={})


main()
