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

# How many processes test at once, which tests, and how many histories `simulate` runs.
JOBS ?= auto
TESTS ?= tests
SEEDS ?= 10000

export SAM_CLI_TELEMETRY := 0

step = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.PHONY: help setup demo test pytest test-shipped check build simulate mutations bench format

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.dev ## a .venv with everything, nothing global

demo: $(VENV)/.emulator ## two emulated Regions, real objects replicating (KEEP=1: stays up)
	@$(BIN)/python -m s3replicator.demo

test: check pytest ## what CI runs: the checks and all tests

pytest: $(VENV)/.dev ## the tests alone (TESTS=tests/unit: some of them)
	$(step) "Tests on $$($(BIN)/python --version)"
	@$(BIN)/python -m pytest $(TESTS) --numprocesses $(JOBS) --durations 5 -rs

# What is shipped runs on the template's Python, whichever Python the command and the emulator run on.
test-shipped: ## the tests of what is shipped, on the functions' own Python
	@python="$$($(MAKE) --silent --directory functions which-python)" && \
	$(MAKE) --no-print-directory pytest PYTHON="$$python" VENV=.cache/shipped TESTS="tests/unit tests/contract tests/flows"

check: $(VENV)/.dev ## style, types, import contracts, the template
	$(step) "Style: ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(step) "Types: mypy"
	@$(BIN)/mypy
	$(step) "Import contracts: import-linter"
	@$(BIN)/lint-imports --no-logo
	$(step) "Template: sam validate --lint"
	@$(BIN)/sam validate --lint

build: $(VENV)/.dev ## what `sam deploy` uploads, in .aws-sam/build
	@$(BIN)/sam build

simulate: $(VENV)/.dev ## random histories of changes, faults and crashes (SEEDS=100000: more of them)
	@$(BIN)/python -m tests.simulation.run --seeds $(SEEDS)

mutations: $(VENV)/.dev ## faults put into the algorithm on purpose, and how soon the simulation finds each
	@$(BIN)/python -m tests.simulation.mutations

bench: $(VENV)/.dev ## every benchmark in benchmarks/, one after the other
	@for path in benchmarks/[a-z]*.py; do \
		name=$$(basename $$path .py); printf '\n== %s\n' $$name; $(BIN)/python -m benchmarks.$$name; done

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
