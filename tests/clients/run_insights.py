"""LangSmith's client from upload to the last row, as its documentation has it; run with that client's own Python.

Prints one line of JSON: what it was told. Arguments: the API's URL, the report's name, a file of chat histories.
"""

import json
import sys
import warnings
from pathlib import Path

from langsmith import Client
from langsmith.utils import LangSmithConflictError


def main(url: str, name: str, file: str) -> None:
    warnings.simplefilter("ignore")  # these methods are marked beta
    histories = json.loads(Path(file).read_text())
    client = Client(api_url=url, auto_batch_tracing=False)
    try:
        report = client.generate_insights(chat_histories=histories, name=name)
    except LangSmithConflictError:
        print(json.dumps({"conflict": True}))
        return
    done = client.poll_insights(report=report, rate=1, timeout=300)
    found = {"id": str(report.id), "name": report.name, "status": done.status, "link": done.link}
    if hasattr(client, "get_insights_report"):
        result = client.get_insights_report(report=report)
        found["runs"] = [run["outputs"]["messages"] for run in result.runs]
        found["clusters"] = [
            {"level": one.level, "num_runs": one.num_runs, "loaded": [run["id"] for run in one.load_traces()]}
            for one in result.clusters
        ]
        found["title"] = result.report.title
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
