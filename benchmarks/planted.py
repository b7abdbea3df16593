"""Made-up conversations in which facts are stated, or not: topics × attributes × phrasings, all written for this.

What is stated is independent of the topic. Some conversations hold a distractor instead: words of the attribute that
state nothing. The attributes `held_out` were written when rules and limits stood, and nothing was changed for them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.topics import TOPICS
from shared.job_config import AttributeSchema


@dataclass(frozen=True, slots=True)
class Planted:
    """An attribute and the ways to state that it holds, that it does not, and to say nothing about it."""

    name: str
    schema: AttributeSchema
    holds: tuple[str, ...]
    fails: tuple[str, ...]
    says_nothing: tuple[str, ...]
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """`truth` is what is stated of the attribute; None where it is not."""

    topic: str
    messages: tuple[tuple[str, str], ...]  # role, text
    truth: bool | None


def _boolean(description: str) -> AttributeSchema:
    return AttributeSchema(type="boolean", description=description)


ATTRIBUTES = (
    Planted(
        "user_satisfied",
        _boolean("Whether the user is satisfied with the answer"),
        (
            "I am satisfied with that answer.",
            "Great, that is exactly what I needed!",
            "Perfect, I am very happy with this.",
            "Wonderful, this solved it for me.",
            "I'm really pleased with how this went.",
            "That works, you have been very helpful.",
            "Excellent service, I could not be happier.",
            "This is a great answer, I am content.",
        ),
        (
            "I am not satisfied with that answer.",
            "That is useless, it does not help me at all.",
            "This is a terrible answer and I am disappointed.",
            "I'm not happy with this at all.",
            "You did not solve my problem, I am frustrated.",
            "What a waste of time, this is awful service.",
            "I am unhappy with how this was handled.",
            "This does not answer my question and I am annoyed.",
        ),
        (
            "The answer should be in two sentences.",
            "Is there an answer in the manual too?",
            "My boss wants a short answer by mail.",
            "The customer before me asked the same.",
        ),
    ),
    Planted(
        "is_urgent",
        _boolean("True if the request is urgent"),
        (
            "This is urgent.",
            "I need it right now, it cannot wait.",
            "Please hurry, I have very little time.",
            "It is an emergency.",
            "I need this as soon as possible, today at the latest.",
            "Be quick, every minute counts.",
            "It has to be done immediately.",
            "This is extremely time-critical for me.",
        ),
        (
            "This is not urgent.",
            "There is no hurry, take your time.",
            "It can wait until next week.",
            "No rush with this.",
            "It is not an emergency.",
            "You do not need to do it right away.",
            "I am in no hurry at all.",
        ),
        (
            "The request form has two pages.",
            "I sent a request for a brochure last year.",
            "My request is the same as before.",
            "I waited at the counter for a while.",
        ),
    ),
    Planted(
        "wants_refund",
        _boolean("The customer asks for a refund"),
        (
            "I want a refund.",
            "Please give me my money back.",
            "I would like to be refunded for this.",
            "You should return what I paid.",
            "I demand my money back.",
            "Can I please get a full refund?",
            "I expect you to reimburse me.",
        ),
        (
            "I do not want a refund.",
            "I don't need my money back.",
            "There is no need to refund me.",
            "Keep the money, I am not asking for a refund.",
            "I'm not looking for a refund.",
        ),
        (
            "I paid with my credit card.",
            "The money comes out of my own account.",
            "I have bought from you before.",
            "My sister is a customer as well.",
        ),
    ),
    Planted(
        "first_time_customer",
        _boolean("Is this the first time that the customer uses the service?"),
        (
            "This is the first time that I use your service.",
            "I am a new customer.",
            "I have never used this before.",
            "I'm new here.",
            "I only just signed up with you.",
            "It's my first time here.",
            "I have never been a customer of yours until today.",
        ),
        (
            "This is not the first time that I use your service.",
            "I have been a customer for many years.",
            "I'm a long-time customer.",
            "I have used your service many times.",
            "I am not a new customer.",
            "I am a regular here.",
        ),
        (
            "First I looked at the website.",
            "The service desk was closed on Sunday.",
            "What time do you open?",
            "I will use the back door.",
        ),
    ),
    Planted(
        "has_restarted",
        _boolean("Whether the user already restarted the device"),
        (
            "I already restarted the device.",
            "I have rebooted it.",
            "I turned it off and on again.",
            "Yes, I restarted it twice.",
            "I did a reboot this morning.",
            "I have tried restarting the machine.",
        ),
        (
            "I have not restarted the device.",
            "I didn't reboot it yet.",
            "No, I never turned it off and on again.",
            "I haven't tried restarting it.",
        ),
        (
            "The device is in the hall.",
            "I already told you my name.",
            "The user manual is in German.",
            "It is a grey device with two buttons.",
        ),
    ),
    Planted(
        "is_business",
        _boolean("Whether the user asks on behalf of a company"),
        (
            "I am asking on behalf of my company.",
            "This is for my business.",
            "I'm writing for our firm, we have forty employees.",
            "It is a business account.",
            "Our company needs this.",
            "I run a small business and this is for work.",
        ),
        (
            "This is not for a company, it is private.",
            "I am not asking for a business.",
            "It's just for me, not for any company.",
            "I don't have a company.",
        ),
        (
            "I enjoy company at dinner.",
            "Half of it is for my brother.",
            "My user name has a dash in it.",
            "Who may I ask about that?",
        ),
    ),
    Planted(
        "agent_apologized",
        _boolean("The assistant apologizes"),
        (
            "I apologize for the inconvenience.",
            "I'm sorry about that.",
            "We are very sorry for the trouble.",
            "Please accept my apologies.",
            "Sorry for the mistake.",
        ),
        (),
        (
            "I can help you with that.",
            "Your assistant for today is Maria.",
            "Is there anything else?",
            "Have a nice day.",
        ),
    ),
    Planted(
        "has_receipt",
        _boolean("Does the user have the receipt?"),
        (
            "I have the receipt.",
            "I still have the receipt here.",
            "Yes, I kept the receipt.",
            "The receipt is in front of me.",
            "I've got the sales slip with me.",
        ),
        (
            "I do not have the receipt.",
            "I lost the receipt.",
            "I don't have a receipt any more.",
            "There is no receipt.",
            "I threw the receipt away.",
        ),
        (
            "I have it in the kitchen.",
            "What does the small print say?",
            "It was paid for by my aunt.",
            "I have two of them.",
        ),
    ),
    Planted(
        "user_confused",
        _boolean("Whether the user is confused"),
        (
            "I am confused.",
            "I do not understand this.",
            "I'm totally lost here.",
            "This makes no sense to me.",
            "I am really confused by all these options.",
        ),
        (
            "I am not confused.",
            "It is all clear to me now.",
            "I understand it completely.",
            "I'm not confused any more.",
        ),
        (
            "My colleague got it from the shop.",
            "The two names are easily mixed up by the postman.",
            "The user list is empty.",
            "I read the page about it.",
        ),
        held_out=True,
    ),
    Planted(
        "wants_human",
        _boolean("The user asks to talk to a human"),
        (
            "I want to talk to a human.",
            "Please connect me with a real person.",
            "Can I speak to a human agent?",
            "Let me talk to somebody from your team.",
            "I would like to speak with a representative.",
        ),
        (
            "I do not want to talk to a human.",
            "I don't need to speak to a person.",
            "There is no need to connect me with anyone.",
        ),
        (
            "My husband asked me about it.",
            "The human body is mostly water.",
            "We talk about it every evening.",
            "I asked the doctor as well.",
        ),
        held_out=True,
    ),
    Planted(
        "has_account",
        _boolean("Does the customer already have an account?"),
        (
            "I already have an account.",
            "I have an account with you.",
            "Yes, I'm registered.",
            "I opened an account last year.",
            "I do have an account here.",
        ),
        (
            "I do not have an account.",
            "I don't have an account yet.",
            "I have no account with you.",
            "I never registered.",
        ),
        (
            "Take the wind into account.",
            "I already have one at home.",
            "The customer parking is behind the house.",
            "I have to go soon.",
        ),
        held_out=True,
    ),
)


def conversations(attribute: Planted, n: int, seed: int) -> Iterator[Conversation]:
    """n conversations: a third states that the attribute holds or does not, a third distracts, a third is plain."""
    draw = random.Random(f"{seed} {attribute.name}")
    by_assistant = "assistant" in attribute.schema.description
    for at in range(n):
        topic = draw.choice(sorted(TOPICS))
        asked, answered = draw.choice(TOPICS[topic])
        truth, said = None, ""
        if at % 3 == 0:
            truth = draw.random() < 0.5 or not attribute.fails
            said = draw.choice(attribute.holds if truth else attribute.fails)
        elif at % 3 == 1:
            said = draw.choice(attribute.says_nothing)
        yield Conversation(topic, tuple(_messages(draw, asked, answered, said, by_assistant)), truth)


def _messages(draw: random.Random, asked: str, answered: str, said: str, by_assistant: bool) -> list[tuple[str, str]]:
    """The statement stands before, after or in a turn of its own."""
    place = draw.randrange(3)
    if by_assistant:
        answered = f"{said} {answered}" if place else f"{answered} {said}"
    elif place == 0:
        asked = f"{said} {asked}"
    elif place == 1:
        asked = f"{asked} {said}"
    messages = [("user", asked.strip()), ("assistant", answered.strip())]
    if not by_assistant and place == 2 and said:
        messages.append(("user", said))
    return messages
