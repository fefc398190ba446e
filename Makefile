PYTHON ?= python
WORKERS ?= 2
TESTS ?= tests

# Workers share the machine; a pool of threads in each only makes them wait.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help check lint format types contracts test conformance docs acceptance plugins doctest coverage demo bench micro clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: lint types contracts test ## lint, types, contracts and tests: what CI runs

lint: ## ruff: lint rules and formatting
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## rewrite the files as ruff wants them
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## mypy --strict on polykeras and backends
	$(PYTHON) -m mypy

contracts: ## import-linter: who may import whom
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

test: ## all tests on every installed backend, and the examples in docstrings
	$(PYTHON) -m pytest -n $(WORKERS) $(TESTS)

conformance: ## the conformance suite on BACKEND (a name or module:attribute)
	$(PYTHON) -m pytest -n $(WORKERS) --pyargs polykeras.conformance $(if $(BACKEND),--backend $(BACKEND))

plugins: ## install and test examples/plugins, and run the tutorial, as CI does
	.ci/plugins

doctest: ## only the examples in docstrings
	$(PYTHON) -m pytest -n $(WORKERS) tests/test_doctests.py

coverage: ## tests with a coverage report
	$(PYTHON) -m pytest -n $(WORKERS) --cov --cov-report=term --cov-report=html $(TESTS)

acceptance: ## the requirements' rows on full data (POLYKERAS_DATA_DIR)
	POLYKERAS_ACCEPTANCE=full $(PYTHON) -m pytest -q -s tests/acceptance

docs: ## rewrite the generated pages; runs the suite on every installed backend
	$(PYTHON) docs/generate.py spi
	$(PYTHON) docs/generate.py conformance

demo: ## train the digit classifier on each installed backend
	$(PYTHON) -c "from polykeras.cli import app; app()" demo

bench: ## run all benchmarks; KERAS_PYTHON=path compares with Keras 3
	$(PYTHON) -m benchmarks $(if $(KERAS_PYTHON),--keras-python $(KERAS_PYTHON))

micro: ## micro figures beside those of the last run; CHECK=min:30% fails if slower
	$(PYTHON) -m pytest benchmarks/micro $(if $(CHECK),--benchmark-compare-fail=$(CHECK))

clean: ## remove caches and build output
	rm -rf build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
