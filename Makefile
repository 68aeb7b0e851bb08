# `make demo` runs a workflow on this machine, `make test` checks everything. `make help` lists the rest.
#
# All of them install what they need into .venv (scripts/setup tells how); a virtual environment of your own is used as it is:
#   make unit VENV=/path/to/venv
# ARGS goes to pytest:
#   make unit ARGS="-k diamond -x"

VENV ?= .venv
BIN := $(VENV)/bin
NBFLOW := $(BIN)/nbflow
PYTEST := $(BIN)/python -m pytest
ARGS ?=
# Looked up when needed: the set-up may have installed it by then.
CHROMIUM = $(shell command -v "$${NBFLOW_CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome)
BROWSER_TESTS = NBFLOW_CHROMIUM="$(CHROMIUM)" $(PYTEST) -q -n 2 --dist loadfile -m "browser" $(ARGS) tests/browser

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo notebook test setup format format-check lint types layers unit slow walkthrough browser cluster bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-12s  %s\n' "$$name" "$$what"; done

define set_up
$(if $(filter .venv,$(VENV)),@scripts/setup $(1))
endef

demo: ## install what is missing, run a workflow here and watch it
	$(call set_up,run)
	$(NBFLOW) submit --watch examples/dag-diamond.yaml
	@scripts/next-steps $(NBFLOW)

notebook: ## open the tutorial in JupyterLab
	$(call set_up,notebook)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter lab notebooks/00-quickstart.ipynb

test: format-check lint types layers unit slow walkthrough browser ## everything that has to hold before a change goes in

setup: ## install what the checks and tests need
	$(call set_up,test)

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --select I .

format-check: setup
	$(BIN)/ruff format --check .

lint: setup ## ruff
	$(BIN)/ruff check .

types: setup ## mypy, strict
	$(BIN)/mypy

layers: setup ## who may import whom
	$(BIN)/lint-imports

unit: setup ## the quick tests
	$(PYTEST) -q -n 2 -m "not slow and not walkthrough and not browser and not cluster" $(ARGS)

slow: setup ## the tests that take their time
	$(PYTEST) -q -n 2 -m "slow and not walkthrough and not browser and not cluster" $(ARGS)

walkthrough: setup ## the manifests of the walk-through, where they are at hand
	$(PYTEST) -q -n 2 -m "walkthrough" $(ARGS)

browser: setup ## the notebook in a real browser
ifeq ($(INCOMPLETE),yes)
	$(if $(CHROMIUM),,@echo "LEFT OUT: the tests in a browser, for want of chromium" && exit 0;) $(BROWSER_TESTS)
else
	$(BROWSER_TESTS)
endif

cluster: setup ## what needs a Kubernetes cluster; not part of `make test`
	$(PYTEST) -q -m "cluster" $(ARGS)

bench: setup ## measure nbflow beside what it is compared with; writes benchmarks/README.md
	$(BIN)/python benchmarks/run.py

clean: ## remove the virtual environment and all caches
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
