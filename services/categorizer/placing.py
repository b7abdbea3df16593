"""Items put into named categories by the model, many a question."""

from collections.abc import Mapping, Sequence

from services.categorizer.answers import Places, by_item
from shared.listing import datum
from shared.questions import Questions, together

ITEMS = 25  # of a question
ANSWER = 12  # tokens that an item's place takes
LONGEST = 1_200  # characters of a category as it is described


async def place_items(
    questions: Questions, categories: Sequence[str], items: Sequence[int], texts: Mapping[int, str]
) -> dict[int, int]:
    """Item → position of its category, -1 for none of them; without the items that the model left out."""
    parts = [items[start : start + ITEMS] for start in range(0, len(items), ITEMS)]
    found = await together(_placed(questions, categories, part, texts) for part in parts)
    return {item: place for part in found for item, place in part.items()}


async def _placed(
    questions: Questions, categories: Sequence[str], items: Sequence[int], texts: Mapping[int, str]
) -> dict[int, int]:
    values = {
        "categories": [{"number": at, "text": datum(text, LONGEST)} for at, text in enumerate(categories, 1)],
        "items": [{"id": at, "text": texts[item]} for at, item in enumerate(items, 1)],
    }
    answer = await questions.ask("placing", values, Places, 60 + ANSWER * len(items))
    found = by_item(answer.places, len(items), len(categories)) if answer else {}
    return {items[at]: place for at, place in found.items()}
