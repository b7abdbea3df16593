"""`insights fake-model`: an endpoint that speaks OpenAI's HTTP API and needs no model. For tests and load.

    app.py        HTTP: paths, keys, latency, faults, cut connections
    chat.py       a chat completion, from a request
    reading.py    what the messages hold: instructions, data, listed items
    filling.py    a value for any JSON schema, out of a reading
    faults.py     what goes wrong, and for whom

An answer depends on messages and schema alone, so that it serves any client: same request, same bytes. It is extractive
and knows no language; it is no measure of quality.
"""
