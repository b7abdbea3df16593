"""Every error that this project raises on purpose.

InsightsError                 a sentence for a person, which says what to do next
├── UsageError                bad input, option, file or setting: exit code 2
│   ├── FilterError           a filter that does not parse; knows its position
│   └── PromptError           a prompt that does not parse, or names what no trace has
├── JobError                  this job cannot be done: it ends in `error` with this sentence
├── ItemError                 this item cannot be done: it ends in `failed` with this sentence
│   ├── AnswerError           the model gave no answer to it that can be used
│   └── BudgetError           what it would cost is more than is left: it is left out, and the job goes on
├── InvalidEventError         an event that no handler can take: never tried again
├── RefusedError              store or bus said no this once: tried again a few times
└── UnavailableError          store, bus or model is away: waited for, costs no try
    └── ModelAwayError        the model's endpoint does not answer, or not now
"""


class InsightsError(Exception):
    """A sentence for a person, which says what to do next."""


class UsageError(InsightsError):
    """Bad input, option, file or setting."""


class FilterError(UsageError):
    """A filter that does not parse. `position` is the 0-based offset of the first character that is wrong."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class PromptError(UsageError):
    """A summary prompt that does not parse, or names what no trace of the sample has."""


class JobError(InsightsError):
    """This job cannot be done."""


class ItemError(InsightsError):
    """This item cannot be done; the others go on."""


class AnswerError(ItemError):
    """The model gave no answer that can be used, and would give none if it were asked again."""


class BudgetError(ItemError):
    """The job's budget does not pay this call."""


class InvalidEventError(InsightsError):
    """An event that is not JSON, has the wrong shape, or names a job or item that does not exist."""


class RefusedError(InsightsError):
    """Store or bus said no this once."""


class UnavailableError(InsightsError):
    """Store, bus or model does not answer."""


class ModelAwayError(UnavailableError):
    """The model's endpoint does not answer, or has too many calls."""
