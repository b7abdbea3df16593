"""What the engine `model` would ask about an item, by the very code that asks it."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from services.attribute_extractor import model as attributes
from services.summarizer import model as summaries
from shared.attributes import drafted, keys_of, model_of
from shared.context import Loaded
from shared.estimate import Call, Planned
from shared.frozen import FrozenJob
from shared.job_config import AttributeSchema
from shared.models import Stage

SUMMARY = 70  # tokens of a summary with its quote, as JSON
ATTRIBUTE, TEXT = 5, 14  # tokens of an attribute's value, and of a free text, beside its name


def planned(loaded: Loaded, frozen: FrozenJob) -> Planned:
    """Of one item. CPU work of some milliseconds. Raises ItemError where a body is damaged."""
    config = frozen.job.config
    prepared = summaries.prepare(frozen, loaded)
    summary = summaries.summary_key(config, prepared.text)
    own = keys_of(config, prepared.read.content)

    def calls(kept: AbstractSet[str]) -> list[Call]:
        missing = {name: config.attribute_schemas[name] for name, key in own.items() if key not in kept}
        found = []
        if summary not in kept:
            asked = missing if drafted(config) else {}
            request = summaries.request(config, prepared.text, asked)
            found.append(Call(Stage.SUMMARIES, request, SUMMARY + _values(asked)))
            missing = {} if asked else missing
        if missing:
            request = attributes.request(config, missing, prepared.read.content, {})
            found.append(Call(Stage.ATTRIBUTES, request, _values(missing)))
        return found

    keys = {summary: (Stage.SUMMARIES, config.summary_model)}
    return Planned(keys | dict.fromkeys(own.values(), (Stage.ATTRIBUTES, model_of(config))), calls)


def _values(schemas: Mapping[str, AttributeSchema]) -> int:
    """Tokens of these values in an answer, with their names."""
    return sum(
        len(name) // 4 + (TEXT if schema.type == "string" and schema.enum is None else ATTRIBUTE)
        for name, schema in schemas.items()
    )
