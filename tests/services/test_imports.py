"""What only the worker process needs is imported in no other process."""

import subprocess
import sys

HEAVY = ("scipy", "sklearn", "lemminflect", "onnxruntime", "tokenizers")


def test_the_services_do_not_import_what_clusters_and_encodes() -> None:
    program = f"import sys, insights.process; print(*({set(HEAVY)!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_with_vectors_the_worker_does_not_import_scikit_learn() -> None:
    """40 MB, of which the encoder's way through the engine needs nothing."""
    program = "import sys, services.categorizer.local; print(*({'sklearn', 'scipy.stats'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
