# Corpusmith: every command a person or CI runs. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Where Python is told to keep no bytecode, each of a run's many processes compiles all of ours anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test check format bench soak inference conformance api lock clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP)  ## install everything into .venv (needs Python 3.11 or newer)

$(STAMP): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Corpusmith needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	scripts/install $(VENV) --require-hashes -r requirements-dev.lock
	scripts/install $(VENV) --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup  ## run the main job to its end, on the simulator if no endpoint is set
	$(BIN)/corpusmith demo

test: setup  ## all tests, kill and fault tests included
	$(BIN)/python -m pytest -n 3 --dist load

check: setup  ## style, types, arrows, translation parity
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_arrows.py tests/test_messages.py tests/test_registry.py

format: setup  ## mend the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

api: setup  ## make docs/api.md anew, each answer from a running server
	scripts/api-page

bench: setup  ## the figures of README, each a ratio from one run (about 15 minutes; needs gcc)
	$(BIN)/python -m bench

soak: setup  ## 640 kills over every recipe on both databases (about 10 minutes), then all that `make test` shortens (hours)
	$(BIN)/python -m pytest tests/soak --timeout 7200 -o addopts="" -q -s
	DOCUMENT_WHOLE=1 DOCUMENT_EXAMPLES=20 $(BIN)/python -m pytest -n 2 tests/api/test_api_document_*.py --timeout 7200
	MACHINE_TIMES=20 $(BIN)/python -m pytest -n 2 tests/api/test_api_machine*.py --timeout 7200
	KILLS=4 $(BIN)/python -m pytest -n 2 --dist load tests/kill/test_kill.py
	LIVES=10 $(BIN)/python -m pytest -n 2 --dist load tests/engine/test_state_machine.py
	LOOKS_WHOLE=1 $(BIN)/python -m pytest -n 2 --dist load tests/web/test_web_looks_*.py --timeout 7200

inference: setup  ## the dialogue job on `transformers serve` with random tiny weights
	scripts/inference-server-test

conformance: setup  ## the exports through TRL's, LLaMA-Factory's and axolotl's own code
	scripts/conformance-test

lock: setup  ## write the lock files anew from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras --group dev pyproject.toml -o requirements-dev.lock
	scripts/conformance-lock

clean:  ## remove everything that was built
	rm -rf $(VENV) .venv-inference .venv-conformance .pytest_cache .ruff_cache .mypy_cache .hypothesis dist build
