"""Texts to calibrate on, all our own: what people ask programs, short and long, in prose, code and data."""

import json
import random
from collections.abc import Iterator

from insights.demo import generate

TEXTS = (
    "hi",
    "thanks, that worked!",
    "What is the capital of Australia?",
    "Write a short poem about the sea in autumn.",
    "Can you translate 'the meeting has been postponed until Thursday' into Spanish, please?",
    "Fix the bug in the function that parses dates: it fails for 29 February.",
    "TypeError: 'NoneType' object is not subscriptable at line 42 of parser.py, in load_settings",
    "def mean(values):\n    return sum(values) / len(values)\n\nprint(mean([]))",
    "SELECT name, COUNT(*) FROM orders WHERE created_at > '2024-01-01' GROUP BY name HAVING COUNT(*) > 3;",
    '{"flight": "LH 1234", "from": "HAM", "to": "OSL", "seats": [{"row": 12, "letter": "C"}], "paid": true}',
    "I would like to book a table for four at an Italian restaurant near the station on Friday at 7 pm.",
    "my card was charged twice for the same hotel night and nobody answers the phone. please refund one of them",
    "How much is 17.5% of 2,340 minus 12?",
    "Set an alarm for half past six tomorrow and remind me to water the plants.",
    "Summarise this article in three bullet points and say which claims have no source.",
    "The patient reports a sharp pain in the left knee after running; swelling since Tuesday, no fever.",
    "Plan a week of vegetarian dinners for two adults and one child who dislikes mushrooms.",
    "Prove that the square root of two is irrational.",
    "Who won the election in the village of Kirchdorf, and by how many votes?",
    "git rebase stopped with a conflict in three files. How do I keep their version of one and mine of the others?",
    "Cancel my subscription. I have asked three times already!!!",
    "Is it safe to take ibuprofen together with paracetamol?",
    "Transfer 200 euros from my savings to my current account and tell me the new balance.",
    "search_flights: no seats left in economy. book_flight: done. send_email: failed with status 503",
    "Draft a polite email to my landlord asking when the heating in the kitchen will be repaired.",
    "What does the red light on the front of the router mean, and how do I reset it?",
    "Ich möchte meinen Flug von Berlin nach Lissabon umbuchen.",
    "Où est ma commande ? Elle devait arriver hier.",
    "¿Puedes ayudarme a cambiar la contraseña de mi cuenta?",
    "請幫我取消明天的預約。",
    "مرحبا، أريد معرفة حالة طلبي",
    "Как мне вернуть товар, который не подошёл по размеру?",
    "🙂🙂🙂 ok",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "https://example.com/a/very/long/path?with=many&query=parameters&and=values#fragment",
    "<html><body><h1>Not found</h1><p>The page that you asked for does not exist.</p></body></html>",
    "Explain photosynthesis to a ten-year-old, then give me a quiz of five questions with answers.",
    "Compare the two contracts and list each clause that differs, with the page it is on.",
    "My daughter is starting school; which vaccinations does she need, and where do I find the form?",
)
WINDOW = 700  # characters of a long text
DEMO = 120  # traces


def texts() -> Iterator[str]:
    """A few hundred: each of ours, long ones of several together, and what is said in the sample traces."""
    yield from TEXTS
    rng = random.Random(0)
    for _ in range(60):
        yield " ".join(rng.sample(TEXTS, rng.randint(2, 8)))
    for trace in generate(DEMO, light=True):
        said = [message["content"] for message in trace["inputs"]["messages"] if message.get("role") == "user"]
        yield " ".join(said)
        whole = json.dumps([trace["inputs"], trace["outputs"]])
        start = rng.randrange(max(1, len(whole) - WINDOW))
        yield whole[start : start + WINDOW]
