# make install | demo | serve | test | test-slow | test-faults | test-docker | lint | bench | lock | sbom | clean

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
EXTRAS := train,serve,excel,dev

.PHONY: install demo serve test test-slow test-faults test-docker lint bench lock sbom clean

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

# What the image installs, by hashes: docker/requirements-cpu.txt and -cuda.txt. The versions are
# those of constraints.txt; of what is not there, CUDA, those that were locked before.
# TORCH_CPU says where PyTorch's build for processors alone is; without its index: make lock
# TORCH_CPU='--find-links docker/wheels'
TORCH_CPU ?= --torch-backend cpu
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --no-build \
    --python-version 3.11 --python-platform linux --constraint constraints.txt \
    --custom-compile-command 'make lock' --extra serve pyproject.toml

lock: install
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(LOCK) $(TORCH_CPU) --output-file docker/requirements-cpu.txt
	$(LOCK) --output-file docker/requirements-cuda.txt

sbom: install
	$(BIN)/python docker/sbom.py > sbom.json

clean:
	rm -rf .venv demo logs runs build dist sbom.json *.egg-info
