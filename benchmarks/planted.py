"""Made-up conversations in which facts are stated, or not: topics × attributes × phrasings, all written for this.

What is stated is independent of the topic. Some conversations hold a distractor instead: words of the attribute that
state nothing. Half of the attributes (`held_out`) were never looked at while the margins were chosen.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

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


TOPICS: dict[str, tuple[tuple[str, str], ...]] = {
    "flights": (
        ("I have to move my flight from Lisbon to the morning.", "The 7:40 flight has seats left. Shall I book it?"),
        ("How many bags can I take on the plane to Oslo?", "One cabin bag and one suitcase of 23 kg are included."),
        ("My connection in Madrid was cancelled.", "You are rebooked on the evening flight, gate B12."),
        ("Can you book two seats next to each other to Rome?", "Seats 14A and 14B are now yours."),
    ),
    "bank": (
        ("My card was declined at the supermarket today.", "The daily limit was reached. It is raised now."),
        ("Please send 300 euros to my landlord.", "The transfer is on its way and arrives tomorrow."),
        ("There is a payment on my statement that I do not know.", "It is from a parking garage near your office."),
        ("What is the interest rate on a savings account?", "At the moment it is 2.1 percent a year."),
    ),
    "kitchen": (
        ("What can I cook with leeks and potatoes?", "A soup: soften the leeks, add potatoes and stock, blend."),
        ("My bread does not rise, what am I doing wrong?", "The water was too hot for the yeast. Use lukewarm water."),
        ("How long does a whole chicken need in the oven?", "About 80 minutes at 190 degrees."),
        ("Give me a vegetarian menu for six guests.", "Start with a beetroot salad, then mushroom risotto."),
    ),
    "code": (
        ("My loop over the list skips every second element.", "You remove items while iterating. Use a copy."),
        ("Write a query that counts orders by month.", "SELECT month, COUNT(*) FROM orders GROUP BY month;"),
        ("The build fails with a missing header file.", "Install the development package of the library."),
        ("How do I parse a date in JavaScript?", "Use the Date constructor with an ISO string."),
    ),
    "phone": (
        ("The internet is down since the storm.", "There is an outage in your street. It is being repaired."),
        ("I would like to keep my number with the new contract.", "That works: you get a form by mail."),
        ("The router blinks red all the time.", "Please pull the plug, wait ten seconds and plug it in again."),
        ("How much data is left in my plan?", "You have used 8 of 20 gigabytes."),
    ),
    "shop": (
        ("The blue jacket arrived in the wrong size.", "A new one in size M is on its way to you."),
        ("Where is my parcel with the order 4711?", "It was handed to the courier this morning."),
        ("Do you have this lamp in brass?", "Yes, in brass and in black steel."),
        ("I want to change the address of my delivery.", "The parcel now goes to the new address."),
    ),
    "health": (
        ("I need an appointment with an eye doctor.", "Dr. Lund has time on Thursday at ten."),
        ("Which shots do I need before going to Kenya?", "Yellow fever and hepatitis A are advised."),
        ("My insurance card has an old name on it.", "A card with the new name is being printed."),
        ("How often should I take these tablets?", "One in the morning and one in the evening, with food."),
    ),
    "school": (
        ("Help me to understand fractions.", "A fraction is a part of a whole: 3/4 are three of four parts."),
        ("Write an outline for an essay on the Silk Road.", "Begin with its routes, then trade, then its end."),
        ("When does the enrolment for the summer course end?", "It ends on the last day of May."),
        ("What does the word ubiquitous mean?", "It means that something is found everywhere."),
    ),
}


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
        held_out=True,
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
        held_out=True,
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
        held_out=True,
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
