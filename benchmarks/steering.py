"""Do attributes steer the categories, with values as a model tells them?

    python -m benchmarks.steering [--full]

Some of CLINC150's intents are asked about; half of the conversations also state a boolean that has nothing to do with
the topic. A stand-in model reads each conversation and tells the boolean, by the extractor's own call; what is grouped
is the request alone, by local vectors.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.figure import Figure, show
from benchmarks.pull import pulled, topics
from benchmarks.sets import Missing
from insights.fake_model.app import FakeModel
from insights.fake_model.options import Options
from insights.fake_model.serving import running
from services.attribute_extractor.model import request
from shared.attributes import checked
from shared.embedding.encoder import load_encoder
from shared.job_config import AttributeSchema, JobConfig
from shared.llm import Endpoint, Llm
from shared.prompts import Piece, joined

AT_ONCE = 16
SCHEMAS = {"urgent": AttributeSchema(type="boolean", description="Whether the user is in a hurry")}
SAID = {True: "Please hurry. urgent=yes", False: "Take your time. urgent=no"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    return show(("steering", figure) for figure in figures(parser.parse_args().full))


def figures(full: bool) -> Iterator[Figure]:
    measured = [_measured(seed) for seed in ((0, 1, 2) if full else (0,))]
    right, raised, cost = np.mean(measured, axis=0)
    yield Figure("boolean by the stand-in: right values", float(right), 1.0)
    yield Figure("boolean by the stand-in: purity of subcategories raised by", float(raised), 0.2)
    yield Figure("boolean by the stand-in: NMI of the topics lost", float(cost), 0.05, at_most=True)


def _measured(seed: int) -> tuple[float, float, float]:
    """Share of right values, what steering adds to the purity of leaves, and what the topics lose."""
    encoder = load_encoder()
    if encoder is None:
        raise Missing("the weights are not installed: run `make install`.")
    found = topics(seed)
    told = asyncio.run(
        _told([f"{text}\n{SAID[bool(one)]}" for text, one in zip(found.requests, found.holds, strict=True)])
    )
    right = float(np.mean([one["urgent"] == bool(truth) for one, truth in zip(told, found.holds, strict=True)]))
    return right, *pulled(encoder.encode(found.requests), found, told, SCHEMAS, seed)


async def _told(conversations: Sequence[str]) -> list[dict[str, Any]]:
    """The attributes of each, as the stand-in tells them."""
    config, slots = JobConfig(attribute_schemas=SCHEMAS, engine="model"), asyncio.Semaphore(AT_ONCE)

    async def one(text: str) -> dict[str, Any]:
        async with slots:
            asked = request(config, SCHEMAS, joined([Piece(f"User: {text}", is_value=True)]), {})
            answer = (await llm.ask(asked)).value
        return {name: checked(schema, answer[name]) for name, schema in SCHEMAS.items()}

    async with running(FakeModel(Options())) as url:
        llm = Llm(Endpoint(f"{url}/v1"))
        try:
            return list(await asyncio.gather(*map(one, conversations)))
        finally:
            await llm.close()


if __name__ == "__main__":
    raise SystemExit(main())
