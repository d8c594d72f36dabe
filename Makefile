# make report: set up .venv on first use, fit, and write the report to report/
# make test:   set up .venv on first use, and run the fast tests
# make results: run the scripts of analyses/ whose inputs have changed, and write the new figures into
#               the pages that quote them; ONLY="payback drivers" for some
# make stale:   list them (R: to be run, U: up to date) without running any
#
# The packages are installed again only when pyproject.toml, setup.py or constraints.txt change,
# so that every target works offline once it has run. PYTHON=... picks another interpreter.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTHON ?=
ONLY ?=

.DEFAULT_GOAL := report
.PHONY: report test test-slow results stale lint types docs dist linkcheck clean install install-dev

report: install
	$(BIN)/densing-bayes report --out report

test: install-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

test-slow: install-dev
	$(BIN)/python -m pytest -m slow

results: install-dev
	$(BIN)/doit run --continue $(ONLY)
	$(BIN)/python docs/figures.py

stale: install-dev
	@$(BIN)/doit list --status $(ONLY)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install-dev
	$(BIN)/mypy

docs: install-dev
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# Wheel and sdist in DIST, checked as an index would; no network is needed once it has run.
DIST ?= dist

dist: install-dev
	rm -rf "$(DIST)"
	$(BIN)/python -m build --no-isolation --outdir "$(DIST)" . >/dev/null
	$(BIN)/twine check --strict "$(DIST)"/*
	$(BIN)/check-wheel-contents "$(DIST)"/*.whl
	@ls -l "$(DIST)"

# Links to other sites; it needs a network, so it is no part of CI.
linkcheck: install-dev
	$(BIN)/sphinx-build -q -D plot_gallery=0 -b linkcheck docs docs/_build/linkcheck

clean:
	rm -rf build dist report docs/_build docs/gallery .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find densing_bayes data models analyses tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is noted in a stamp: a checksum, since a checkout changes times but not contents.
CHECKSUM = cat pyproject.toml setup.py constraints.txt | cksum

install: $(BIN)/python
	@wanted=$$($(CHECKSUM)); \
	for stamp in $(VENV)/.installed $(VENV)/.installed-dev; do \
	    if [ "$$(cat $$stamp 2>/dev/null)" = "$$wanted" ]; then exit 0; fi; \
	done; \
	$(BIN)/python -m pip install -q -c constraints.txt -e . && echo "$$wanted" > $(VENV)/.installed

install-dev: $(BIN)/python
	@wanted=$$($(CHECKSUM)); \
	if [ "$$(cat $(VENV)/.installed-dev 2>/dev/null)" = "$$wanted" ]; then exit 0; fi; \
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,docs]' \
	    && echo "$$wanted" > $(VENV)/.installed-dev

# The first interpreter that is new enough: on the path, of pyenv, of uv. A name on the path may be
# a pyenv shim that answers with an error, so each candidate is run.
$(BIN)/python:
	@new_enough() { "$$@" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }; \
	pyenv=$$(pyenv root 2>/dev/null); found=; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3 "$$pyenv"/versions/3.13.*/bin/python3 \
	        "$$pyenv"/versions/3.12.*/bin/python3 "$$(uv python find '>=3.12' 2>/dev/null)"); do \
	    if new_enough "$$python"; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "densing_bayes needs Python 3.12 or newer, and $(or $(PYTHON),python3) is" \
	        "$$($(or $(PYTHON),python3) -V 2>&1). Install one, or name one: make PYTHON=/path/to/python3.13" >&2; \
	    exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$found -V); this takes some minutes the first time."; \
	$$found -m venv --clear $(VENV)
