"""What only the worker process needs is in no other process: these libraries take 70 MB."""

import subprocess
import sys

HEAVY = ("scipy", "sklearn", "lemminflect", "onnxruntime", "tokenizers")


def test_the_services_do_not_import_what_clusters_and_encodes() -> None:
    program = f"import sys, insights.process; print(*({set(HEAVY)!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
