"""Whether what was said says yes or no to an attribute, or nothing: which is null, and the usual answer.

Evidence is a piece of text that is like the attribute's statements. Which way it points is told by how much nearer it
is to a statement than to its denial (little: vectors hardly see a "not") and by words of negation; where these two
disagree, it is not evidence. The limits are from `benchmarks/attributes.py`, which shows precision and recall around
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.attribute_extractor.language import main_clause, negated, states, stems
from services.attribute_extractor.reading import Piece
from services.attribute_extractor.statements import Claim
from shared.features import Array

ABOUT = 0.52  # likeness plus leaning from which on a piece says something of the attribute
ABOUT_NEGATED = 0.56  # the same with a word of negation, which may belong to something else
ABOUT_IN_WORDS = 0.46  # the same, negated or not, where it has the words of the attribute's name
LEANS = 0.08  # towards the statement
LEANS_IN_WORDS = -0.08  # the same where it has the words of the attribute's name: being alike is enough
LEANS_AWAY = 0.12  # towards the denial, without a word of negation
LEANS_NEGATED = 0.02  # towards the denial, with one


@dataclass(frozen=True, slots=True)
class Boolean:
    """A yes/no attribute, ready to be compared: unit rows (pairs, d) of its statements and of their denials."""

    claim: Claim
    words: frozenset[str]
    statements: Array
    denials: Array
    usual: float  # leaning of texts that have nothing to do with it

    @classmethod
    def of(cls, claim: Claim, statements: Array, denials: Array, general: Array) -> "Boolean":
        """`general` (g, d) are vectors of texts about anything."""
        usual = float(np.median(_leaning(general, statements, denials)))
        return cls(claim, stems(claim.pairs[-1][0]), statements, denials, usual)

    def likeness(self, vectors: Array) -> Array:
        """How much each row is about this, yes or no: (n,)."""
        return np.asarray(np.maximum(vectors @ self.statements.T, vectors @ self.denials.T).mean(axis=1))

    def leaning(self, vectors: Array) -> Array:
        """How much nearer each row is to the statements than to the denials: (n,), about -1..1."""
        return _leaning(vectors, self.statements, self.denials) - self.usual

    def judge(self, said: Sequence[Piece], vectors: Array) -> bool | None:
        """Yes, no, or null where nothing is said or both are. `vectors` are unit rows of the pieces, (n, d)."""
        if not said:
            return None
        evidence = zip(said, self.likeness(vectors), self.leaning(vectors), strict=True)
        answers = {self._answer(piece, float(likeness), float(leaning)) for piece, likeness, leaning in evidence}
        answers.discard(None)
        return answers.pop() if len(answers) == 1 else None

    def _answer(self, piece: Piece, likeness: float, leaning: float) -> bool | None:
        if self.claim.speaker not in (None, piece.speaker):
            return None
        in_words = bool(self.words) and self.words <= stems(piece.text)
        no = negated(piece.text, self.words)
        least = ABOUT_IN_WORDS if in_words else ABOUT_NEGATED if no else ABOUT
        if likeness + abs(leaning) < least or not states(piece.text):
            return None
        if no and not in_words and not negated(main_clause(piece.text), self.words):
            return None
        if leaning <= -(LEANS_NEGATED if no else LEANS_AWAY):
            return False
        return True if leaning >= (LEANS_IN_WORDS if in_words else LEANS) and not no else None


def _leaning(vectors: Array, statements: Array, denials: Array) -> Array:
    """Difference of the cosines to statement and denial, as a share of what it can be: mean over the pairs, (n,)."""
    distance = np.maximum(np.linalg.norm(statements - denials, axis=1), 1e-6)
    return np.asarray(((vectors @ (statements - denials).T) / distance).mean(axis=1))
