# One command each; every target does what it needs first. Nothing is installed outside .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# The first Python that is new enough and can make a virtual environment; or say which: make PYTHON=/path/to/python
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt

# How many processes test at once (more than cores: tests on the emulator wait more than they compute), which tests, and
# how many histories `simulate` runs.
JOBS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
TESTS ?= tests
SEEDS ?= 10000
QUICK_SEEDS := 300

export SAM_CLI_TELEMETRY := 0

step = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick pytest test-shipped coverage check check-style check-types check-imports \
	check-template hooks build simulate mutations bench docs format

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.dev ## a .venv with everything, nothing global

demo: $(VENV)/.emulator ## two emulated Regions, real objects replicating (KEEP=1: stays up)
	@$(BIN)/python -m s3replicator.demo

test: check pytest ## what CI runs: the checks and all tests

# Marks are set in tests/conftest.py. A test that opens a socket here lacks its mark, and fails.
quick: check ## the checks, all tests without emulator and containers, 300 histories: about a minute
	$(step) "Tests without emulator and containers"
	@$(BIN)/python -m pytest -m "not (emulator or container or simulation)" --disable-socket \
		--numprocesses $(JOBS)
	$(step) "Simulation: $(QUICK_SEEDS) histories"
	@told="$$($(BIN)/python -m tests.simulation.run --seeds $(QUICK_SEEDS))" || { echo "$$told"; exit 1; }
	@echo "Left out: tests on the emulator and in containers, the other histories (make test)"

pytest: $(VENV)/.dev ## the tests alone (TESTS=tests/unit: some of them)
	$(step) "Tests on $$($(BIN)/python --version)"
	@$(BIN)/python -m pytest $(TESTS) --numprocesses $(JOBS) --durations 5 -rs

# What is shipped runs on the template's Python, whichever Python the command and the emulator run on.
test-shipped: ## the tests of what is shipped, on the functions' own Python
	@python="$$($(MAKE) --silent --directory functions which-python)" && \
	$(MAKE) --no-print-directory pytest PYTHON="$$python" VENV=.cache/shipped TESTS="tests/unit tests/contract tests/flows"

coverage: $(VENV)/.dev ## lines and branches that no test reaches, with a floor: some minutes
	$(step) "Tests without containers and simulation, measured"
	@mkdir -p .cache
	@$(BIN)/python -m pytest $(TESTS) -m "not (container or simulation)" --numprocesses $(JOBS) --cov

# What may hold a commit up: .pre-commit-config.yaml names the same four.
check: check-style check-types check-imports check-template ## style, types, import contracts, the template

check-style: $(VENV)/.dev
	$(step) "Style: ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

check-types: $(VENV)/.dev
	$(step) "Types: mypy"
	@$(BIN)/mypy

check-imports: $(VENV)/.dev
	$(step) "Import contracts: import-linter"
	@$(BIN)/lint-imports --no-logo

check-template: $(VENV)/.dev
	$(step) "Template: sam validate --lint"
	@$(BIN)/sam validate --lint

hooks: $(VENV)/.dev ## run the checks before every commit from now on
	@$(BIN)/pre-commit install

build: $(VENV)/.dev ## what `sam deploy` uploads, in .aws-sam/build
	@$(BIN)/sam build

simulate: $(VENV)/.dev ## random histories of changes, faults and crashes (SEEDS=100000: more of them)
	@$(BIN)/python -m tests.simulation.run --seeds $(SEEDS)

mutations: $(VENV)/.dev ## faults put into the algorithm on purpose, and how soon the simulation finds each
	@$(BIN)/python -m tests.simulation.mutations

bench: $(VENV)/.dev ## every benchmark in benchmarks/, one after the other
	@for path in benchmarks/[a-z]*.py; do \
		name=$$(basename $$path .py); printf '\n== %s\n' $$name; $(BIN)/python -m benchmarks.$$name; done

docs: $(VENV)/.dev ## the generated pages of docs/reference, from their sources
	@$(BIN)/python -m tools.reference

format: $(VENV)/.dev ## let ruff put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

$(VENV)/.emulator: pyproject.toml constraints.txt functions/replicator/__init__.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || { echo "Creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the command and the emulator into $(VENV)"
	@$(PIP) --editable '.[emulator]'
	@touch $@

$(VENV)/.dev: $(VENV)/.emulator
	@echo "Installing the development tools into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@
