# SPDX-License-Identifier: GPL-3.0-or-later
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
# What is imported again and again is compiled once, also where the shell says otherwise.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL := tests/tools/uv.sh pip install --python $(PYTHON)
COLLECTION := $(VENV)/collections/ansible_collections/seatkeeper/licensing

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: setup
setup: $(VENV)/.agent $(VENV)/.compiler $(COLLECTION) ## make .venv with everything pinned, the agent and the collection

.PHONY: looked-at
looked-at:

# Looked at each time, and made anew when the lock or the Python is another one.
$(VENV)/.made-of: looked-at
	@tests/tools/environment.sh dev

$(VENV)/.agent: agent/pyproject.toml agent/twins/pyproject.toml $(VENV)/.made-of
	@echo "setup: installing the agent from agent/ and the twins from agent/twins/"
	@$(INSTALL) --no-deps --no-build-isolation --editable agent --editable agent/twins
	@touch $@

$(COLLECTION): | $(VENV)/.made-of
	@echo "setup: linking the collection into $(VENV)/collections"
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@

.PHONY: bundle
bundle: $(VENV)/.agent ## make the agent's release for the role seatkeeper_agent in dist/ (KEY=release.key signs it)
	@(cd tests && ../$(PYTHON) -m hosts.made bundle --into ../dist)
	version="$$($(VENV)/bin/seatkeeper-agent --version)"
	[[ -z "$(KEY)" ]] || $(PYTHON) agent/sign.py "$(KEY)" "dist/seatkeeper-agent-$$version.tar"

# Twins need a compiler for their stand-in library; where there is none, one comes as a wheel.
$(VENV)/.compiler: requirements/compiler.lock | $(VENV)/.made-of
	@if ! command -v cc gcc clang >/dev/null; then
		echo "setup: no C compiler here, installing the one of requirements/compiler.lock"
		$(INSTALL) --require-hashes -r requirements/compiler.lock
	fi
	touch $@

# What static checks need in environments of their own; one whose Python is missing is left out.
.PHONY: lint-environments
lint-environments: $(VENV)/.made-of
	@tests/tools/environment.sh importer
	tests/tools/environment.sh ansible-2.19 3.11 3.12 3.13
	tests/tools/environment.sh ansible-2.20 3.13 3.12 3.14
	tests/tools/environment.sh ansible-2.21 3.12 3.13 3.14
	tests/tools/environment.sh hosts-python 3.9
	tests/tools/environment.sh docs

.PHONY: demo
demo: setup ## show with all four vendors, on twins, what the playbooks do and what was observed
	@$(PYTHON) -m seatkeeper_twins.demo

# Three for two cores, as tests also wait for the processes that they start; JOBS=2 make test for less.
JOBS ?= 3
# All in one call, so that its slowest ten are those of all, and no core waits between two calls.
PYTEST := $(PYTHON) -m pytest -n $(JOBS) --dist worksteal --durations 10 --durations-min 1

.PHONY: test
test: setup ## run the tests that need no root, the fast ones first (make test-slow has the rest)
	@$(PYTEST) -m "not slow" agent/tests tests/unit tests/inventory tests/documentation tests/reporting \
		tests/integration tests/crash tests/costs

.PHONY: test-slow
test-slow: setup ## run the tests that take minutes: browsers, more deaths, all examples
	@$(PYTEST) -v -m slow agent/tests tests/unit tests/integration tests/crash tests/costs

# Not by pytest: a campaign uses all cores by itself, and says how far it is.
SCHEDULES := crash/test_one_process.py operations/server_moves/test_schedules.py operations/orders/test_interruptions.py operations/test_taken_up.py
KILLED := -m pytest -q ../../tests/integration/test_aimms.py -k killed
CAMPAIGNS := "-m crash" "-m crash.versions" "-m operations.dongles.crashes" "-m operations.server_moves.crashes" \
	"../../tests/crash" "-m pytest -q $(SCHEDULES)" "$(KILLED)"

.PHONY: test-crash
test-crash: setup ## kill agents, twins and playbooks at every point (SEATKEEPER_CRASH_SHARE=0.1 for a part)
	@cd agent/tests
	export SEATKEEPER_CRASH_SHARE="$${SEATKEEPER_CRASH_SHARE:-1}"
	failed=()
	for campaign in $(CAMPAIGNS); do
		echo "test-crash: $$campaign"
		../../$(PYTHON) $$campaign || failed+=("$$campaign")
	done
	[[ $${#failed[@]} -eq 0 ]] || { echo "test-crash: failed: $${failed[*]}"; exit 1; }

.PHONY: test-hosts
test-hosts: setup ## run molecule on real hosts, and USB on a real kernel in a virtual machine (root, Debian)
	@tests/hosts/install.sh
	cd tests
	# The tests that need the guest wait until it is whole; the others begin without it.
	../$(PYTHON) -m hosts.made guest &
	trap wait EXIT
	../$(PYTHON) -m hosts.made bookworm trixie bundle releases-before releases-after packages
	cd ..
	$(PYTHON) -m pytest -q -n 3 --dist load --maxschedchunk 1 tests/hosts

.PHONY: bench
bench: setup ## print how the agent compares with the bare parts it is made of
	@cd tests && ../$(PYTHON) -m bench

.PHONY: lint
lint: setup lint-environments ## run every static check (STEPS="mypy ruff" for some)
	@$(PYTHON) tests/tools/lint.py $(STEPS)

.PHONY: docs
docs: setup ## build the documentation site in build/site
	@tests/tools/environment.sh docs
	docs/site/build.sh

.PHONY: driver
driver: setup ## start a driver for another vendor: make driver NAME=acme (FOLDER=.. for a package)
	@$(PYTHON) tests/tools/new_driver.py "$(NAME)" $(if $(FOLDER),"$(FOLDER)")

.PHONY: format
format: setup ## put the code into its form
	@$(VENV)/bin/ruff check --quiet --fix-only .
	$(VENV)/bin/ruff format --quiet .

.PHONY: clean
clean: ## remove the environment and everything that tools left behind
	@rm -rf .venv .cache .ansible build dist tests/output agent/build agent/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
