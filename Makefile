# `make demo` and `make test` are all that a newcomer needs; each sets up what is missing.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.set-up
RUN := $(BIN)/python

.PHONY: help setup demo test format lint types imports lock dist soak bench-ingest bench-features bench-sweep bench-planted bench-sample docs clean

help:
	@echo "make setup    environment, packages, Delta jars, Java check"
	@echo "make demo     set-up, then the whole pipeline on real data"
	@echo "make test     set-up, then format, lint, types, import rules and all tests"
	@echo "make format   rewrite the source as the format check wants it"
	@echo "make lock     resolve requirements-dev.lock anew"
	@echo "make dist     the wheel and the --py-files zip, in dist/"
	@echo "make soak     random files, histories and events, EXAMPLES=50 of each case, hours"
	@echo "make bench-ingest   time ingest of ten million lines beside a bare copy, ten minutes"
	@echo "make bench-features time ledger, features and lifetime values beside DuckDB, SIZES=\"5 10 50\" millions, hours"
	@echo "make bench-sweep    time a sweep beside Spark ML and scikit-learn, and scoring, an hour or more:"
	@echo "              CUSTOMERS=500000 FEATURES=8 FEWEST=2 MOST=10 ROUNDS=3 PEERS=\"cached sklearn\" HEAP=2g"
	@echo "make bench-planted  what a sweep makes of planted structure and of none, minutes"
	@echo "make bench-sample   whether a sample leads to the choice that all customers lead to:"
	@echo "              CUSTOMERS=500000 SEEDS=3"
	@echo "make docs     regenerate the generated pages"
	@echo "make clean    remove what the commands above made, but no lake"

setup: $(STAMP)

$(STAMP): pyproject.toml setup.py requirements-dev.lock scripts/set_up.py segspark/session/delta_jars.lock segspark/session/drivers.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: segspark needs Python 3.11 or newer, and $(PYTHON) is not: name one with make PYTHON=python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -m scripts.set_up
	@touch $@

demo: setup
	@$(RUN) -m scripts.join_campaigns
	@$(BIN)/segspark demo

# A session of Spark on tiny tables mostly plans, which keeps one core busy: two run at once.
test: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

lock: setup
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --upgrade \
	  --all-extras --group dev pyproject.toml --output-file requirements-dev.lock

dist: setup
	@$(RUN) -m scripts.make_dist

soak: setup
	SEGSPARK_EXAMPLES=$(or $(EXAMPLES),50) $(BIN)/pytest tests/spark/test_ingest_property.py \
	  tests/spark/test_pipeline_ledger.py tests/spark/test_pipeline_event_ledger.py \
	  tests/spark/test_features_leakage.py

bench-ingest: setup
	@$(RUN) -m scripts.benchmarks.ingest

bench-features: setup
	@$(RUN) -m scripts.benchmarks.features --sizes $(or $(SIZES),5 10 50)

bench-sweep: setup
	@$(RUN) -m scripts.benchmarks.sweep \
	  $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(FEATURES),--features $(FEATURES)) $(if $(FEWEST),--fewest $(FEWEST)) \
	  $(if $(MOST),--most $(MOST)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PEERS),--peers $(PEERS)) \
	  $(if $(HEAP),--heap $(HEAP))

bench-planted: setup
	@$(RUN) -m scripts.benchmarks.planted

bench-sample: setup
	@$(RUN) -m scripts.benchmarks.sample_choice \
	  $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(SEEDS),--seeds $(SEEDS))

docs: setup
	$(RUN) -m scripts.write_reference

clean:
	rm -rf .venv build dist segspark.egg-info .pytest_cache .mypy_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find jobs scripts segspark tests -name __pycache__ -prune -exec rm -rf {} +
