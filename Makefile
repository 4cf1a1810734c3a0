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
DEV := $(CACHE)/env
GATE := $(CACHE)/gate
CLIENTS := $(CACHE)/clients
LOWEST := $(CACHE)/lowest

# Each worker takes whole files, in the order of tests/conftest.py.
WORKERS := --numprocesses auto --dist loadfile --no-loadscope-reorder

# What measures memory and load needs the machine for itself.
LIGHT := -m "not load"

# Bytecode is kept: otherwise each worker compiles all tests again.
PYTEST = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/$(CACHE)/bytecode" $(DEV)/bin/python -m pytest

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
test: $(DEV)/.installed ## Set up and run the tests against the built wheel
	@$(PYTEST) $(WORKERS) $(LIGHT) $(PYTEST_ARGS)

.PHONY: test-load
test-load: $(DEV)/.installed ## Run the tests of memory and load
	@$(PYTEST) -m load $(PYTEST_ARGS)

.PHONY: test-lowest
test-lowest: $(LOWEST)/.installed ## Run the tests with the lowest versions of all dependencies
	@$(subst $(DEV)/,$(LOWEST)/,$(PYTEST)) $(WORKERS) $(LIGHT) $(PYTEST_ARGS)

.PHONY: coverage
coverage: $(DEV)/.installed ## Run the tests and measure their coverage
	@$(PYTEST) $(WORKERS) $(LIGHT) --cov --cov-report term:skip-covered $(PYTEST_ARGS)

# Each check is a target: `make lint-types` runs one. They run side by side, and one failure does not hide another.
CHECKS := lint-style lint-format lint-types lint-dead-code lint-dependencies lint-yaml lint-image lint-shell \
  lint-actions lint-workflows lint-security
ACTIONS = action.yml $(wildcard .github/actions/*/action.yml)
FORMS = $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
WORKFLOWS = $(wildcard .github/workflows/*.yml examples/workflows/*.yml)

.PHONY: lint
lint: $(DEV)/.ready ## Check style, types, dead code, dependencies, workflows and the image file
	@$(MAKE) --no-print-directory --keep-going --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync) $(CHECKS)

.PHONY: $(CHECKS)
$(CHECKS): | $(DEV)/.ready
lint-style:
	$(DEV)/bin/ruff check --quiet
lint-format:
	$(DEV)/bin/ruff format --check --quiet
lint-types:
	$(DEV)/bin/mypy --no-error-summary
lint-dead-code:
	$(DEV)/bin/vulture
lint-dependencies:
	$(DEV)/bin/deptry src
lint-yaml:
	$(DEV)/bin/yamllint --strict .
lint-image:
	$(DEV)/bin/hadolint --config .hadolint.yaml Dockerfile
lint-shell:
	$(DEV)/bin/shellcheck .ci/run
lint-actions:
	$(DEV)/bin/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS)
lint-workflows:
	$(DEV)/bin/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(DEV)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(DEV)/bin/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(DEV)/bin/check-jsonschema --builtin-schema vendor.github-issue-forms $(FORMS)
lint-security:
	$(DEV)/bin/zizmor --offline --strict-collection --pedantic --quiet --no-progress .

.PHONY: format
format: $(DEV)/.ready ## Format the code and fix what can be fixed automatically
	@$(DEV)/bin/ruff format
	@$(DEV)/bin/ruff check --fix

.PHONY: docs
docs: $(DEMO)/.ready ## Write the program's --help into docs/cli.md
	@$(DEMO)/bin/python tools/cli_docs.py

.PHONY: bench
bench: $(GATE)/.installed ## Measure the gate and a loop of requests
	@$(DEV)/bin/python bench/run.py --gate $(GATE)/bin/incident-gate-action

.PHONY: campaign
campaign: $(DEV)/.installed ## Draw thousands of schedules of faults and tokens (minutes; SCHEDULES and SEED may be given)
	@INCIDENT_GATE_SCHEDULES=$(SCHEDULES) INCIDENT_GATE_SEED=$(SEED) $(PYTEST) tests/campaign --numprocesses auto $(PYTEST_ARGS)
	@$(PYTEST) -m hypothesis --hypothesis-profile campaign --hypothesis-seed $(SEED) --numprocesses auto $(PYTEST_ARGS)

.PHONY: image
image: ## Build the action's image and test it as the runner starts it
	@$(CONTAINER_ENGINE) build --tag $(IMAGE) .
	@$(MAKE) --no-print-directory test-image

.PHONY: test-image
test-image: $(DEV)/.installed ## Test an image that is there already
	@INCIDENT_GATE_IMAGE=$(IMAGE) CONTAINER_ENGINE="$(CONTAINER_ENGINE)" $(PYTEST) tests/container $(PYTEST_ARGS)

.PHONY: test-clients
test-clients: $(CLIENTS)/.installed ## Test the sandbox with DataHub's own clients (downloads a hundred packages)
	@$(CLIENTS)/bin/python -m pytest tests/clients $(PYTEST_ARGS)

# actions-toolkit depends on these for its clients of GitHub's API, artifact cache and identity tokens. The gate uses its
# `command` and `file_command` modules, which import the standard library only. In the image they would take 25 MB.
NOT_IN_IMAGE := requests charset-normalizer urllib3 pygithub pyjwt pynacl cryptography cffi pycparser
# For httpx's asynchronous client: httpcore does without it.
NOT_IN_IMAGE += anyio
# For Pythons older than the image's.
NOT_IN_IMAGE += typing-extensions

# Without an index address: pip uses the index that it is configured for, and the hashes show whether that one is honest.
PIN := uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml

.PHONY: requirements
requirements: ## Pin the newest dependencies with their hashes (needs uv)
	@$(PIN) --python-version 3.11 --extra action --extra sandbox $(addprefix --group ,build test bench lint) --output-file requirements/dev.txt
	@$(PIN) --python-version 3.11 --extra sandbox --group build --constraint requirements/dev.txt --output-file requirements/demo.txt
	@$(PIN) --python-version 3.13 --extra action $(addprefix --no-emit-package ,$(NOT_IN_IMAGE)) --constraint requirements/dev.txt --output-file requirements/image.txt

.PHONY: clean
clean: ## Remove what was made here
	rm -rf $(CACHE) $(DEMO) dist

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Name another one: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; exit 1; }

# One environment for the demo and for development: the source as it is, with the mock DataHub server.
$(DEMO)/.ready: requirements/demo.txt pyproject.toml | python
	@echo "Setting up $(DEMO) ..."
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/python $(PIP_INSTALL) $(WITH_HASHES) requirements/demo.txt
	@$(DEMO)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# One for tests, benchmarks and linters.
$(DEV)/.ready: requirements/dev.txt | python
	@echo "Setting up $(@D) ..."
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) $(WITH_HASHES) $<
	@touch $@

# The tests run against what users get: the built wheel, never the source tree.
$(DEV)/.installed: $(DEV)/.ready $(PACKAGE)
	@rm -rf $(CACHE)/wheel
	@$(DEV)/bin/python -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir $(CACHE)/wheel .
	@$(DEV)/bin/python $(PIP_INSTALL) --no-deps --force-reinstall $(CACHE)/wheel/*.whl
	@touch $@

# One for measuring, with what the image has and nothing else.
$(GATE)/.installed: $(DEV)/.installed requirements/image.txt
	@$(PYTHON) -m venv --clear $(GATE)
	@$(GATE)/bin/python $(PIP_INSTALL) $(WITH_HASHES) requirements/image.txt
	@$(GATE)/bin/python $(PIP_INSTALL) --no-deps $(CACHE)/wheel/*.whl
	@touch $@

# One with the oldest versions that users may have.
$(LOWEST)/.installed: $(DEV)/.installed tools/lowest.py
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(PYTHON) tools/lowest.py >$(CACHE)/lowest.txt
	@$(LOWEST)/bin/python $(PIP_INSTALL) --requirement $(CACHE)/lowest.txt
	@$(LOWEST)/bin/python $(PIP_INSTALL) --no-deps $(CACHE)/wheel/*.whl
	@touch $@

# One with DataHub's own clients, which need other versions of much.
$(CLIENTS)/.installed: tests/clients/requirements.txt $(PACKAGE) | python
	@$(PYTHON) -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python $(PIP_INSTALL) --requirement $< --editable '.[action,sandbox]'
	@touch $@
