# Everything a person or a machine does with this checkout. All of it lives in .venv;
# a stamp file in there remembers what is installed, so that a second `make` is quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.kodama-run
TEST_STAMP := $(VENV)/.kodama-test
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

HOST ?= 127.0.0.1
PORT ?= 8080
PYTEST_ARGS ?=
# A file's tests run in one process, one after another; two processes share the files.
WORKERS ?= 2
BENCH_ARGS ?= --pairs 7 --mode longpoll --mode sse --mode ws --waiting 1000 --waiting 10000 --write

.DEFAULT_GOAL := install
.PHONY: install install-test packages run test soak check coverage bench fuzz clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(PIP) install --use-pep517 --editable .
	@touch $@

$(TEST_STAMP): requirements-test.txt pyproject.toml | $(BIN)/python
	$(PIP) install --use-pep517 --requirement requirements-test.txt
	$(PIP) install --use-pep517 --no-deps --editable .
	@touch $@ $(RUN_STAMP)

install: $(RUN_STAMP)

install-test: $(TEST_STAMP)

packages:
	@.ci/packages

run: install
	@$(BIN)/kodama serve --host $(HOST) --port $(PORT)

test: install-test packages
	@if command -v node >/dev/null 2>&1; then node --test --test-timeout=120000 tests/browser/unit/*.mjs; fi
	$(BIN)/python -m pytest -m "not soak" --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

soak: install-test packages
	KODAMA_TEST_SIZE=soak HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest --timeout=3600 -o faulthandler_timeout=0 $(PYTEST_ARGS)

check: install-test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@.ci/types

# Every branch of the pure layers is taken by their own tests.
coverage: install-test
	$(BIN)/python -m pytest -q tests/unit tests/property --cov=kodama.core --cov=kodama.wire --cov-branch \
	    --cov-report=term-missing --cov-fail-under=100

bench: install-test
	@.ci/packages bench
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

fuzz: install-test
	KODAMA_TEST_SIZE=fuzz $(BIN)/python -m pytest -m fuzz --timeout=1800 -o faulthandler_timeout=0 $(PYTEST_ARGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
