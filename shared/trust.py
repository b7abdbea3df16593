"""What the categorizer says of its own work (`Report.trust`), and the aggregator puts into sentences.

{"vectors": the encoder's name or BY_WORDS, "stability": {"leaves": …, "top": …} or None, "items_looked_at": …,
"languages": {ISO 639-1 or UNKNOWN: items}, "values": see `shared/values.py`}

With a model also: {"names": {"tried": unseen items that the model placed by names alone, "attracted": those it placed
where they are, "renamed": names written once more, "same_members": those of them that were tried with the same items
again}, "doubtful": {"items": …, "placed": …}, "given": {"asked_again": …, "changed": …, "without_answer": …}, where
categories are given, "questions": {"asked": …, "budget": not asked for want of money, "answer": asked without an answer
that can be used}, "findings": {"refused": sentences with wrong numbers, and as before}}
"""

BY_WORDS = "tfidf"  # vectors that are made without an encoder
UNKNOWN = "unknown"  # language
REPEATED_UP_TO = 20_000  # items; of more, clustering is not repeated
