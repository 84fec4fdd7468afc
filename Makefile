# Everything a contributor types. Each target sets up what it needs; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if \
	$(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NODE_PACKAGES := tests/node/node_modules/.package-lock.json
NODE_OLDEST := 20
DEBIAN_BROWSER := chromium fonts-noto-core fonts-noto-color-emoji

# Run by `$(call apt_install,PACKAGES)`; fails where there is no apt-get, or no right to use it.
define apt_install
	as_root=; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	export DEBIAN_FRONTEND=noninteractive; \
	command -v apt-get >/dev/null && $$as_root apt-get update -qq \
		&& $$as_root apt-get install -qq -y --no-install-recommends $(1) >/dev/null
endef

.PHONY: help
help:  ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

.PHONY: setup
setup: $(INSTALLED)  ## install the pinned Python packages and the project into .venv

$(INSTALLED): requirements.txt pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer isn't there: name one with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt_install,python3-venv); } \
		|| { echo "$(PYTHON) lacks its venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Setting up .venv from requirements.txt"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# The MJML project's own compiler. Without Node the tests that compare with it are skipped, and say so.
$(NODE_PACKAGES): tests/node/package-lock.json tests/node/.npmrc
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js isn't there: the tests that compare with npm mjml will be skipped"; \
	elif [ "$$(node -p 'parseInt(process.versions.node)')" -lt $(NODE_OLDEST) ]; then \
		echo "Node.js $$(node --version) is older than $(NODE_OLDEST): the tests that compare with npm mjml will be skipped"; \
	else \
		echo "Setting up npm mjml and juice in tests/node"; \
		(cd tests/node && npm ci --loglevel=error) && touch $@; \
	fi

# Judges our calls where NEWSLETTER_SENDGRID_OPENAPI names a copy of the provider's description.
.PHONY: prism
prism:  ## install Prism, for the tests that hold our calls against the provider's own description
	@(cd tests/prism && npm ci --loglevel=error)

# Never fails: without a browser its tests are skipped, and say so.
.PHONY: browser
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| { echo "Installing $(DEBIAN_BROWSER)"; $(call apt_install,$(DEBIAN_BROWSER)); } \
		|| echo "Chromium isn't there and can't be installed here (Debian: apt-get install $(DEBIAN_BROWSER)):" \
			"the browser tests will be skipped"

.PHONY: demo
demo: $(INSTALLED)  ## the whole path once, from the example issues to a sandbox on this machine
	@$(BIN)/python -m newsletter.cli.demo

.PHONY: studio
studio: $(INSTALLED)  ## the example issues in the browser; Ctrl-C ends it
	@SENDGRID_HOST=http://127.0.0.1:8025 SENDGRID_API_KEY=SG.sandbox $(BIN)/newsletter studio

.PHONY: test
test: check unit  ## everything that a change has to pass

.PHONY: check
check: lint types floors  ## the fast part: lint, types, floors

.PHONY: lint
lint: $(INSTALLED)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(INSTALLED)  ## mypy, strict
	$(BIN)/mypy

.PHONY: floors
floors: $(INSTALLED)  ## import-linter: who may import whom
	$(BIN)/lint-imports

# On a machine that does other work besides, a browser can miss a deadline: what fails may show that it passes by itself.
.PHONY: unit
unit: $(INSTALLED) $(NODE_PACKAGES) browser  ## pytest, all of tests/
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder || { [ $$? = 1 ] \
		&& echo "Once more, by itself, what failed:" \
		&& $(BIN)/pytest -q --last-failed --last-failed-no-failures=none; }

SEEDS ?= 20
.PHONY: torture
torture: $(INSTALLED)  ## kill senders at every point and count: SEEDS=200 for the long run
	@$(BIN)/python tests/fault/torture.py --seeds $(SEEDS) --database sqlite
	@$(BIN)/python tests/fault/torture.py --seeds $(SEEDS) --database postgresql

.PHONY: golden
golden: $(INSTALLED)  ## write the golden files anew; read the diff before you commit it
	$(BIN)/pytest -q tests/golden --update-golden

.PHONY: bench
bench: $(INSTALLED) $(NODE_PACKAGES)  ## rendering, importing, planning and sending against others: ratios of one run
	@$(BIN)/python tests/benchmark/run.py
	@$(BIN)/python tests/benchmark/imports.py
	@$(BIN)/python tests/benchmark/sending.py

.PHONY: latency
latency: $(INSTALLED) browser  ## from a key typed in the Studio to the preview repainted, in Chromium
	@$(BIN)/python tests/benchmark/latency.py

.PHONY: screenshots
screenshots: $(INSTALLED) browser  ## the example issues in Chromium, into .build/screenshots, and pictures for the README
	@$(BIN)/python tests/browser/screenshots.py
	@$(BIN)/python tests/browser/studio_pictures.py

.PHONY: clean
clean:  ## remove what the targets made
	rm -rf .venv .build dist tests/node/node_modules .hypothesis .*_cache
	find newsletter tests -name __pycache__ -type d -prune -exec rm -rf {} +
