"""LangSmith's client flushes while its server is killed and started again; run with that client's own Python.

Prints `answered` once some runs were taken in; reads a line when the server is gone, sends more, and reads another when
it is back. Prints at last, in JSON, which runs were answered with 202, which were sent to the new server, and which are
found.
"""

import json
import threading
from uuid import uuid4

from tests.clients.tracing import CLIENT, SESSION, listed, traced

HALF = 400


def main() -> None:
    answered = threading.Event()
    SESSION.hooks["response"].append(lambda *_, **__: answered.set() if SESSION.run_ids else None)
    with traced() as project:
        for number in range(HALF):
            _send(project, number)
        assert answered.wait(60), SESSION.answers
        print("answered", flush=True)
        input()
        for number in range(HALF):
            _send(project, HALF + number)
        input()
    late = [_send(project, 2 * HALF + number) for number in range(10)]
    CLIENT.flush()
    found = [str(run.id) for run in listed(project)]
    print(json.dumps({"answered": sorted(SESSION.run_ids), "late": late, "found": found}))


def _send(project: str, number: int) -> str:
    run_id = uuid4()
    fields = {"trace_id": run_id, "dotted_order": f"20260101T000000{number:06}Z{run_id}", "project_name": project}
    CLIENT.create_run("one", {"number": number, "text": "é" * 2_000}, "chain", id=run_id, **fields)
    return str(run_id)


if __name__ == "__main__":
    main()
