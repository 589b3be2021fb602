# A convenience over documented commands: README.md says what each does by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Python compiles what is imported, when it is; pip would compile everything, one file after the other.
INSTALL := $(BIN)/python -m pip install -q --no-compile -c configs/constraints.txt

# Where it is set, every process compiles all of these files anew: 0.3 s a command, 4 s whenever tests are collected.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help quickstart lint check test pytest notebooks site gpu clean

help:
	@echo "make quickstart   install into $(VENV) and run a complete search with the toy model"
	@echo "make check        while you work: linters, type checker, import contracts and the quick tests"
	@echo "make test         install into $(VENV) and run linters, type checker, tests and notebooks"
	@echo "make site         build the documentation as a site in build/site, links checked"
	@echo "make gpu          run all checks and measurements on this machine's GPU, in ten minutes, with its own Python"
	@echo "make clean        remove $(VENV)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/demosearch: pyproject.toml configs/constraints.txt | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml configs/constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[dev]"
	@touch $(BIN)/demosearch $@

quickstart: $(BIN)/demosearch
	$(BIN)/demosearch run configs/quickstart.yaml

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.house & house=$$!; $(BIN)/lint-imports --no-logo & imports=$$!; $(BIN)/mypy & types=$$!; \
	OMP_NUM_THREADS=1 $(BIN)/pytest --quick -n 3 && wait $$house && wait $$imports && wait $$types

test: $(VENV)/.dev  # all beside each other: the linters and the notebooks leave a core idle
	$(MAKE) -j lint pytest notebooks

pytest: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

notebooks: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --nbmake --nbmake-timeout=600 notebooks

site: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

gpu:
	@status=0; export PYTHONUNBUFFERED=1; \
	timeout --signal=INT --kill-after=10 150 $(PYTHON) -m pytest -q -rPs -p no:cacheprovider tests/workers/engines/test_gpu.py \
	|| status=$$?; \
	timeout --signal=INT --kill-after=20 400 $(PYTHON) -m workers.bench.generation --device cuda --minutes 6 --markdown \
	|| status=$$?; \
	exit $$status

clean:
	rm -rf $(VENV)
