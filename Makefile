# make install | demo | serve | test | test-slow | test-faults | test-docker | lint | bench | sbom | clean

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
EXTRAS := train,serve,excel,dev

.PHONY: install demo serve test test-slow test-faults test-docker lint bench sbom clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

demo: install
	$(BIN)/python examples/demo.py

serve: install
	$(BIN)/rvae serve

test: install
	$(PYTEST)

test-slow: install
	$(PYTEST) -m slow

# One after another: they measure how long a server does not answer.
test-faults: install
	$(BIN)/pytest -m faults

# One after another: they share one composition. Skipped with words where there is no engine.
test-docker: install
	$(BIN)/pytest -m docker

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python benchmarks/phases.py

sbom: install
	$(BIN)/python docker/sbom.py > sbom.json

clean:
	rm -rf .venv demo logs runs build dist sbom.json *.egg-info
