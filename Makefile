# Each target sets up what it needs in .venv: Python 3.11 or newer with pip is all it takes.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip install --quiet --disable-pip-version-check
# Frameworks that do not go together, or with us: each in an environment of its own.
ENVIRONMENTS := $(patsubst tests/frameworks/environments/%.txt,.venv/environments/%/ready,\
	$(wildcard tests/frameworks/environments/*.txt))
# TensorFlow.js is npm's; its tests are left out where npm is not there.
ENVIRONMENTS += $(if $(shell command -v npm),.venv/environments/tfjs/ready)

# The registry's pages are tested in a browser of the system, which is not installed from here.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.PHONY: help demo test test-frameworks test-browser fuzz check docs bench bench-bytes lock clean

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

demo: .venv/ready ## Train, publish, find, install, run, upgrade and remove a real model family
	$(BIN)/python examples/digits/demo.py

test: check ## Check and test everything that needs no framework
	$(BIN)/python -m pytest -n 2 --ignore=tests/frameworks --ignore=tests/browser --cov --cov-report=term --cov-fail-under=85

test-frameworks: .venv/frameworks $(ENVIRONMENTS) ## Test against the real frameworks (installs them)
	$(BIN)/python -m pytest tests/frameworks tests/examples -n 2

test-browser: .venv/ready $(if $(CHROMIUM),.venv/browser/ready) ## Test the registry's pages in chromium, if there is one
	$(BIN)/python -m pytest tests/browser

fuzz: .venv/ready ## Feed every reader 20,000 damaged files: no crash, no hang, no code run
	$(BIN)/python -m tests.fuzz --count 20000

check: .venv/ready ## Lint, format, types, floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: .venv/ready ## Write the generated pages of docs/reference
	$(BIN)/python docs/generate.py

bench: .venv/bench ## Measure start-up, index, install, inspection, solving and the study, in one run
	$(BIN)/python -m benchmarks

bench-bytes: .venv/bytes/ready ## Measure bytes moved and stored, beside other tools
	$(BIN)/python -m benchmarks.bytes $(BYTES)

lock: .venv/ready ## Resolve requirements.lock anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra demo --group dev --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	    pyproject.toml --output-file requirements.lock

clean: ## Delete what the other targets made
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) --no-deps -r requirements.lock
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

.venv/frameworks: .venv/ready
	$(BIN)/python $(INSTALL) torch==2.13.0
	touch $@

.venv/bench: benchmarks/requirements.txt .venv/ready
	$(BIN)/python $(INSTALL) -r $<
	touch $@

.venv/bytes/ready: benchmarks/bytes/requirements.txt .venv/ready
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) -r $<
	touch $@

.venv/browser/ready: tests/browser/requirements.txt tests/browser/axe.json .venv/ready
	mkdir -p $(@D)
	$(BIN)/python $(INSTALL) -r $<
	cp tests/browser/axe.json $(@D)/package.json
	! command -v npm > /dev/null || npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(@D)
	touch $@

.venv/environments/%/ready: tests/frameworks/environments/%.txt .venv/ready
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) -r $<
	touch $@

.venv/environments/tfjs/ready: tests/frameworks/environments/tfjs.json .venv/ready
	mkdir -p $(@D)
	cp $< $(@D)/package.json
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(@D)
	touch $@
