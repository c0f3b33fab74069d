# Every target works on a fresh clone: it makes .venv first. `make help` lists them.

VENV   := .venv
BIN    := $(VENV)/bin
# The first Python on PATH that is new enough; name another one by `make setup PYTHON=/path/to/python`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup runtime run demo test proof check format bench lock migration clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.setup  ## Make .venv with everything, tests and tools included
runtime: $(VENV)/.runtime  ## Make .venv with what a server needs, and nothing else (the Dockerfile does this)

$(VENV)/.setup: requirements-dev.lock pyproject.toml
$(VENV)/.runtime: requirements.lock pyproject.toml
$(VENV)/.setup $(VENV)/.runtime:
	@test -n "$(PYTHON)" || { echo "Faremeter needs Python 3.11 or newer: make setup PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement $<
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: setup  ## Start a server with a fresh operator, key and plan, and leave it running
	$(BIN)/faremeter quickstart

demo: setup  ## Show everything once over HTTP: predictions, usage, invoice, price suggestion
	$(BIN)/faremeter demo

test: setup  ## Run every test in its short form
	$(BIN)/python -m pytest

proof: setup  ## Run the same tests with their full N (hours)
	PROOF=1 $(BIN)/python -m pytest --override-ini timeout=14400

check: setup  ## Check format, style, types, layers and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@for predictor in models/*/predictor.py; do \
		echo $(BIN)/mypy $$predictor; $(BIN)/mypy $$predictor || exit 1; done
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture

format: setup  ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## Measure requests/s and latency of `linear` beside plain FastAPI
	$(BIN)/python -m benchmarks.linear

migration: setup  ## Draft a migration from the tables: make migration MESSAGE="add credit notes"
	$(BIN)/alembic revision --autogenerate --message "$(MESSAGE)" \
		--rev-id "$$(printf %04d $$(($$(ls migrations/versions/*.py | wc -l) + 1)))"

# Both locks hold for every platform and Python from 3.11 on. Existing pins stay; `make lock UPGRADE=--upgrade` moves
# them, torch and torchvision excepted, which move together and by hand: here. uv is not in the locks: install it first.
UV_COMPILE = printf 'torch==2.14.1\ntorchvision==0.29.1\n' | uv pip compile pyproject.toml - --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet $(UPGRADE)
lock:  ## Resolve the dependencies of pyproject.toml into the two lock files (needs uv)
	$(UV_COMPILE) --output-file requirements.lock
	$(UV_COMPILE) --output-file requirements-dev.lock --extra dev --constraints requirements.lock

clean:  ## Remove .venv and every cache; data/ stays
	rm -rf $(VENV) build *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
