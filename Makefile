# Everything a person or the CI does here is one word. Needs make and Python 3.11 or newer; `make help` lists the words.

PYTHON ?= python3
PYTEST_ARGS ?=
SCHEDULES ?= 3000
SEED ?= $(shell date +%s)
IMAGE ?= incident-gate:dev
# The first that answers: a docker command without its service is no engine.
CONTAINER_ENGINE ?= $(firstword $(foreach engine,docker podman,$(if $(shell $(engine) info >/dev/null 2>&1 && echo yes),$(engine))) docker)

# Everything made here and not worth keeping; removing it is always safe.
CACHE := .make
DEMO := .venv
TEST := $(CACHE)/test
LINT := $(CACHE)/lint
GATE := $(CACHE)/gate
ACT := $(CACHE)/act

# Bytecode is kept: each of the workers would compile all the tests anew.
PYTEST = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/$(CACHE)/bytecode $(TEST)/bin/python -m pytest

# What goes into the wheel: when one of these changes, it is built anew.
PACKAGE := pyproject.toml README.md LICENSE $(shell find src -type f ! -name '*.pyc' 2>/dev/null)

# pip says nothing unless it fails, asks nothing, and byte-compiles nothing that is never imported.
PIP_INSTALL := -m pip --quiet --disable-pip-version-check --no-input install --no-compile
WITH_HASHES := --require-hashes --no-deps --requirement

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(DEMO)/.ready ## Set up and run the gate against the sandbox
	@$(DEMO)/bin/incident-gate demo

.PHONY: test
test: $(TEST)/.installed ## Set up and run all tests against the built wheel
	@$(PYTEST) --numprocesses auto --dist loadgroup $(PYTEST_ARGS)

.PHONY: lint
lint: $(LINT)/.ready ## Check style, types, workflows, image file and documents
	@PATH="$(CURDIR)/$(LINT)/bin:$$PATH" $(LINT)/bin/python tools/lint.py

.PHONY: format
format: $(LINT)/.ready ## Format the code
	@$(LINT)/bin/ruff format
	@$(LINT)/bin/ruff check --fix

.PHONY: readme
readme: $(DEMO)/.ready ## Write the program's --help into the README
	@$(DEMO)/bin/python tools/readme.py

.PHONY: bench
bench: $(GATE)/.installed ## Measure the gate beside what one would do otherwise (minutes)
	@$(TEST)/bin/python bench/run.py --gate $(GATE)/bin/incident-gate-action

.PHONY: campaign
campaign: $(TEST)/.installed ## Draw thousands of fault schedules (minutes; SCHEDULES and SEED may be given)
	@INCIDENT_GATE_SCHEDULES=$(SCHEDULES) INCIDENT_GATE_SEED=$(SEED) $(PYTEST) tests/campaign --numprocesses auto $(PYTEST_ARGS)

.PHONY: image
image: ## Build the action's image and test it as the runner starts it
	@$(CONTAINER_ENGINE) build --tag $(IMAGE) .
	@$(MAKE) --no-print-directory test-image

.PHONY: test-image
test-image: $(TEST)/.installed ## Test an image that is there already
	@INCIDENT_GATE_IMAGE=$(IMAGE) CONTAINER_ENGINE="$(CONTAINER_ENGINE)" $(TEST)/bin/python -m pytest tests/container $(PYTEST_ARGS)

.PHONY: act
act: $(ACT)/.ready ## Run the CI's jobs that use the action here (needs docker or podman)
	@PATH="$(CURDIR)/$(ACT)/bin:$$PATH" $(ACT)/bin/python tools/act.py "$(CONTAINER_ENGINE)"

.PHONY: requirements
requirements: ## Pin the newest dependencies with their hashes (needs uv)
	@$(PYTHON) tools/requirements.py

.PHONY: clean
clean: ## Remove what was made here
	rm -rf $(CACHE) $(DEMO) dist

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Name another one: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; exit 1; }

# One environment for the demo and for development: the source as it is, with the stand-in DataHub.
$(DEMO)/.ready: requirements/demo.txt pyproject.toml | python
	@echo "Setting up $(DEMO) ..."
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/python $(PIP_INSTALL) $(WITH_HASHES) requirements/demo.txt
	@$(DEMO)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# One for each purpose, from the requirement file of its name.
$(TEST)/.ready $(LINT)/.ready $(ACT)/.ready: $(CACHE)/%/.ready: requirements/%.txt | python
	@echo "Setting up $(@D) ..."
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) $(WITH_HASHES) $<
	@touch $@

# The tests run against what users get: the built wheel, never the source tree.
$(TEST)/.installed: $(TEST)/.ready $(PACKAGE)
	@rm -rf $(CACHE)/wheel
	@$(TEST)/bin/python -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir $(CACHE)/wheel .
	@$(TEST)/bin/python $(PIP_INSTALL) --no-deps --force-reinstall $(CACHE)/wheel/*.whl
	@touch $@

# One for measuring, with what the image has and nothing else.
$(GATE)/.installed: $(TEST)/.installed requirements/image.txt
	@$(PYTHON) -m venv --clear $(GATE)
	@$(GATE)/bin/python $(PIP_INSTALL) $(WITH_HASHES) requirements/image.txt
	@$(GATE)/bin/python $(PIP_INSTALL) --no-deps $(CACHE)/wheel/*.whl
	@touch $@
