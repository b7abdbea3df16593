"""Language models behind any endpoint that speaks OpenAI's API. Nothing outside this package imports `openai`.

    llm = Llm(Endpoint("http://localhost:11434/v1"))   # one for each endpoint and process
    shape = Shape.of(Summary)   # made once: it keeps what it derives from its schema
    answer = await llm.ask(Request("qwen3", (Message("user", "…"),), shape, max_output_tokens=400))
    cost(answer.usage, Prices.load().of("qwen3"))   # None: nobody knows

`client.py` is where to start; `verdicts.py` says what each error leads to, `dialect.py` what an endpoint is asked for.
"""

from shared.llm.client import Llm
from shared.llm.dialect import likely, most
from shared.llm.endpoint import Endpoint
from shared.llm.prices import Price, Prices
from shared.llm.request import Answer, Message, Request
from shared.llm.shape import Shape
from shared.llm.tokens import estimate_tokens
from shared.llm.usage import Usage, cost

__all__ = [
    "Answer",
    "Endpoint",
    "Llm",
    "Message",
    "Price",
    "Prices",
    "Request",
    "Shape",
    "Usage",
    "cost",
    "estimate_tokens",
    "likely",
    "most",
]
