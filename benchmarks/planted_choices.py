"""Made-up conversations in which one of an attribute's values is stated, or none: written for this, as `planted.py`.

Most phrasings do not have the value's own word. The attributes `held_out` had no part in the choice of the limits.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.topics import TOPICS

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """An attribute: value → the ways to state it; and what has to do with it and states nothing."""

    name: str
    stated: Mapping[str, tuple[str, ...]]
    says_nothing: tuple[str, ...]
    held_out: bool = False


ATTRIBUTES = (
    Choices(
        "payment_method",
        {
            "credit_card": ("I paid with my Visa.", "It was charged to my Mastercard.", "I used my credit card."),
            "bank_transfer": ("I wired the money.", "I sent it from my bank account.", "I paid by bank transfer."),
            "cash": ("I paid with coins and notes.", "I handed over a fifty note at the till.", "I paid cash."),
            "gift_card": ("I used the voucher I got as a present.", "I paid with a gift card.", "I redeemed a coupon."),
        },
        ("I have not paid yet.", "How much do I owe?", "The price was fair.", "What ways to pay are there?"),
    ),
    Choices(
        "emotion",
        {
            "angry": ("I am furious about this.", "This makes me so mad!", "I am really angry."),
            "worried": ("I am afraid that something is wrong.", "This scares me a bit.", "I am worried."),
            "happy": ("I am delighted with it.", "That is wonderful, thank you so much!", "I am so happy."),
            "sad": ("I feel really down today.", "I could cry.", "This makes me sad."),
        },
        ("My mother chose it.", "The colour is blue.", "I read about it in a magazine.", "It was on a Tuesday."),
    ),
    Choices(
        "contact_channel",
        {
            "phone": ("Please call me back.", "Give me a ring tomorrow.", "Reach me by phone."),
            "email": ("Write to my inbox.", "Send me an e-mail about it.", "Mail the answer to my address at work."),
            "in_person": (
                "I will come by your office.",
                "Let us meet face to face.",
                "Let us talk in person.",
            ),
        },
        ("You have my details.", "I am home in the evening.", "Thanks in advance.", "I will wait for the answer."),
    ),
    Choices(
        "device",
        {
            "laptop": ("I am on my MacBook.", "My notebook computer shows it.", "I use a laptop."),
            "smartphone": ("I see it on my iPhone.", "I am using an Android mobile.", "It is a smartphone."),
            "television": ("It is on the screen in the living room.", "I watch it on the TV set.", "My telly has it."),
        },
        ("I saw it yesterday.", "It is quite new.", "The manual is lost.", "My son set it up."),
        held_out=True,
    ),
    Choices(
        "season",
        {
            "spring": ("It is for April.", "We come when the tulips bloom.", "It will be in spring."),
            "summer": (
                "It is for the beach in July.",
                "In the hottest weeks of August.",
                "It is for summer.",
            ),
            "winter": ("It is for the ski week in January.", "When the snow falls.", "We need it at Christmas."),
        },
        ("I do not know the date yet.", "Any day is fine.", "It takes two weeks.", "We are six people."),
        held_out=True,
    ),
)


def conversations(attribute: Choices, n: int, seed: int) -> Iterator[tuple[Messages, str | None]]:
    """n conversations with the value stated, or None: a third states one, a third distracts, a third is plain."""
    draw = random.Random(f"{seed} {attribute.name}")
    for at in range(n):
        topic = draw.choice(sorted(TOPICS))
        asked, answered = draw.choice(TOPICS[topic])
        value, said = None, ""
        if at % 3 == 0:
            value = draw.choice(sorted(attribute.stated))
            said = draw.choice(attribute.stated[value])
        elif at % 3 == 1:
            said = draw.choice(attribute.says_nothing)
        first = f"{said} {asked}" if draw.random() < 0.5 else f"{asked} {said}"
        yield (("user", first.strip()), ("assistant", answered)), value
