# Each target makes .venv when it is missing and installs what it needs, once; `make demo` is all that a visitor types.
#
#   make demo     a retriever trained on judged hard negatives, with the gain measured (three minutes)
#   make test     every test
#   make lint     format, style, types, the order of the rooms, forbidden calls
#   make bench    speed and memory against peers, into benchmarks/results/
#   make docs     the site, into site/
#
# Where pip would bring the CUDA build of torch and the CPU one is enough, give the index that PyTorch's installation page
# names for it:
#   make demo TORCH_INDEX=URL

PYTHON      ?= $(shell command -v python3.11 || command -v python3)
VENV        ?= .venv
TORCH_INDEX ?=
WORKERS     ?= 2

BIN     := $(VENV)/bin
TORCH   := $(shell grep '^torch==' constraints.txt)
INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt
WHAT    := pyproject.toml constraints.txt

export HF_HUB_OFFLINE = 1
export NO_MKDOCS_2_WARNING = 1

.PHONY: demo test lint bench docs
.DELETE_ON_ERROR:

demo: $(VENV)/.has-demo
	$(BIN)/litotes demo

test: $(VENV)/.has-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --skip-budget 0.05

lint: $(VENV)/.has-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/forbidden.py src

bench: $(VENV)/.has-dev
	@mkdir -p benchmarks/results
	@for script in benchmarks/*.py; do \
		echo "== $$script"; \
		$(BIN)/python $$script --out benchmarks/results/$$(basename $$script .py).json || exit 1; \
	done

docs: $(VENV)/.has-dev
	$(BIN)/mkdocs build --strict

# What is installed is remembered by a file each; it is as old as the last change of what it was made from.

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.has-torch: constraints.txt | $(BIN)/python
	$(INSTALL) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH)
	@touch $@

$(VENV)/.has-demo: $(WHAT) $(VENV)/.has-torch
	$(INSTALL) --editable ".[retrieval]"
	@touch $@

$(VENV)/.has-dev: $(WHAT) $(VENV)/.has-torch
	$(INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/.has-demo
