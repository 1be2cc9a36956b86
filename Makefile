# Everything needs only Python 3.11 and make. `make help` lists what there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed-$(shell cksum requirements.lock pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
.PHONY: help env run ui test test-clock coverage lint format bench bench-vintages lock clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

env: $(STAMP)  ## Make the Python environment (.venv) from the lock file

# pip 23 cannot resolve extras under --require-hashes; the lock is complete, so nothing is left to resolve.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || { echo "Python 3.11 or later is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the environment in $(VENV) (a minute or two, once)"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: env  ## Bring the whole lake up to date, from nothing the first time
	@$(BIN)/macro run $(ARGS)

ui: env  ## Serve the Dagster UI, its daemon and the chart pages on 127.0.0.1
	@$(BIN)/macro ui $(ARGS)

# One process more than there are cores, as some tests wait.
PROCESSES ?= $(shell n=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )); echo $$(( n < 4 ? n : 4 )))

test: env  ## Run the whole test suite, with up to four processes (ARGS="-n 0" for one)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

coverage: env  ## Run the suite with its coverage; under 80 % is an error
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

# Monotonic clocks stay true, or waits with a timeout never end; the times of files shift too (clock.c).
CLOCK ?= 2027-03-01
test-clock: env  ## Run the whole test suite on another day, CLOCK=2028-02-29 (needs faketime and cc)
	@cc -shared -fPIC -O2 -Wall -o $(VENV)/clock.so macro_assets_tests/clock.c
	@shift=$$(($$(date -d "$(CLOCK) 12:00" +%s) - $$(date +%s))); \
	  CLOCK_SHIFT=$$shift NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 LD_PRELOAD=$(abspath $(VENV))/clock.so \
	  faketime -f "$$(printf %+ds $$shift)" $(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

lint: env  ## Check style, the import fence and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: env  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: env  ## Run the benchmarks and print their ratios
	@$(BIN)/python benchmarks/run_all.py $(ARGS)

bench-vintages: env  ## Race the vintage store against other stores (some minutes)
	@$(BIN)/python benchmarks/vintage_store.py $(ARGS)

lock:  ## Resolve the dependencies again into requirements.lock (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements.lock

clean:  ## Remove the environment and caches (the lake under data/ stays)
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
