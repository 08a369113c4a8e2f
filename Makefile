# `make demo` and `make test` are each the only command needed on a machine with Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
WORLD := demo

.PHONY: demo test lint types contracts upgrade clean

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "adscribe needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(INSTALL) "pip>=25.1"
	$(INSTALL) --editable .
	touch $@

.venv/developing: .venv/installed
	$(INSTALL) --editable ".[pictures]" --group dev
	$(INSTALL) --no-deps mcgrad
	touch $@

# a model's figures differ a little from key to key: this one is the README's
demo: export ADSCRIBE_KEY = adscribe-readme-key
demo: .venv/installed
	rm -rf $(WORLD)
	mkdir $(WORLD)
	$(BIN)/adscribe simulate $(WORLD)/logs --users 20000 --days 7 --seed 1
	$(BIN)/adscribe run --logs $(WORLD)/logs --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe report data_quality --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe report match_rate --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe report signal_outcomes --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe report models --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe evaluate --db $(WORLD)/ads.duckdb --truth $(WORLD)/logs/truth_match.parquet
	$(BIN)/adscribe explain match sf28b0bce5aee9b23 --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe explain conversion sa84224864342bfb3 --db $(WORLD)/ads.duckdb
	$(BIN)/adscribe report campaign_totals --db $(WORLD)/ads.duckdb

test: .venv/developing
	$(BIN)/python -m pytest --numprocesses 2

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/developing
	$(BIN)/mypy

contracts: .venv/developing
	$(BIN)/lint-imports

clean:
	rm -rf .venv $(WORLD)

# Newest versions of every package into constraints.txt, by name only.
upgrade:
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[pictures]" --group dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps mcgrad
	echo "# The versions that the tests have passed with, by name only." > constraints.txt
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude setuptools >> constraints.txt
	touch .venv/installed .venv/developing
