# What is done with this tree, by name; `make` alone lists it. Each target makes the environment that it needs: with uv
# where it is installed, else with venv and pip. A stamp file says that it is made, so the next time costs nothing.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv)

comma := ,

ifneq ($(UV),)
make-venv = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
install = VIRTUAL_ENV=$(VENV) $(UV) pip install --constraint constraints.txt --build-constraint constraints.txt $(1)
else
# The pip that comes with Python 3.11 knows no dependency groups: the first step is to bring in the one of constraints.txt.
make-venv = $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --constraint constraints.txt pip
# Of all that pip says: a line a package that comes down, and its errors.
install = { $(BIN)/python -m pip install --constraint constraints.txt --build-constraint constraints.txt $(1); echo "ended $$?"; } | \
	while read -r verb what _; do case "$$verb $$what" in \
		Collecting*) echo "  $${what%%[][<>=!~;]*}" ;; \
		'Installing collected') echo '  unpacking them ...' ;; \
		ended*) exit "$$what" ;; \
	esac; done
endif

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pyright otherwise asks the network whether there is a newer one
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-cluster test test-real check bench soak docs fmt constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  ARGS="..." is passed on: make demo ARGS=--once, make test ARGS="tests/unit -k breaker"'

demo: $(VENV)/run.stamp ## Ask a country of made-up bodies one question and watch the answers come
	@$(BIN)/esclusa demo $(ARGS)

demo-cluster: $(VENV)/cluster.stamp ## The same on Kafka and Cassandra, with processes to kill (installs what is missing)
	@dev/install nginx java:default-jre-headless mvn:maven
	@$(BIN)/python -m dev.demo $(ARGS)

test: $(VENV)/dev.stamp ## Run the tests that need Python alone
	$(BIN)/pytest -m 'not real and not soak' --cov --cov-report=term $(ARGS)

test-real: $(VENV)/dev.stamp ## Run the tests that need more than Python, or kill processes (installs what is missing)
	dev/install nginx haproxy java:default-jre-headless mvn:maven promtool:prometheus memcached redis-server node:nodejs npm
	$(BIN)/pytest -m 'real and not soak' $(ARGS)

check: $(VENV)/dev.stamp ## Lint, format, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## Measure each budget beside its peer; writes docs/performance.md
	$(BIN)/python -m bench --write docs/performance.md $(ARGS)

soak: $(VENV)/dev.stamp ## Run the fault tests for many rounds
	$(BIN)/pytest -m soak --timeout 3600 $(ARGS)

docs: $(VENV)/dev.stamp ## Build the documentation into docs/_build; a broken link is an error
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo 'docs/_build/html/index.html'

fmt: $(VENV)/dev.stamp ## Mend what ruff can mend, and format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

constraints: ## Write constraints.txt anew, with the newest versions that fit (run the tests afterwards)
	PYTHON=$(PYTHON) dev/constraints

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist docs/_build .coverage .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Esclusa needs Python 3.11 or newer: make PYTHON=...")'
	@echo 'Making an environment in $(VENV) (once, seconds) ...'
	@$(make-venv)
	@touch $@

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(VENV)/venv.stamp
	@echo 'Installing Esclusa and the packages that it stands on (once, about half a minute) ...'
	@$(call install,--editable '.[soap]')
	@touch $@

$(VENV)/cluster.stamp: $(VENV)/run.stamp
	@echo 'Installing the clients of Kafka and Cassandra (once, seconds) ...'
	@$(call install,--editable '.[soap$(comma)kafka$(comma)cassandra]')
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo 'Installing the tools of development (once, a minute or two) ...'
	@$(call install,--group dev)
	@touch $@
