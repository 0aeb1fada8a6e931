# SPDX-License-Identifier: GPL-3.0-or-later
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check -qq --no-input
COLLECTION := $(VENV)/collections/ansible_collections/seatkeeper/licensing

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: setup
setup: $(VENV)/.agent $(COLLECTION) ## make .venv with everything pinned, the agent and the collection

$(VENV)/.python:
	@python="$$(tests/tools/find-python.sh)"
	@echo "setup: making $(VENV) with $$("$$python" --version)"
	@"$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.packages: requirements/dev.lock $(VENV)/.python
	@echo "setup: installing the packages of requirements/dev.lock (a minute or two)"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

$(VENV)/.agent: agent/pyproject.toml $(VENV)/.packages
	@echo "setup: installing the agent from agent/"
	@$(PIP) install --no-deps --no-build-isolation --editable agent
	@touch $@

$(COLLECTION): | $(VENV)/.python
	@echo "setup: linking the collection into $(VENV)/collections"
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
