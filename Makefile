# Each target makes .venv when it is missing and installs what it needs, once; `make demo` is all that a visitor types.
#
#   make demo     a retriever trained on judged hard negatives, with the gain measured (three minutes)
#   make test     every test
#   make lint     format, style, types, the order of the rooms, forbidden calls
#   make bench    speed and memory against peers, into docs/results/benchmarks/ and docs/benchmarks.md (QUICK=1: a look)
#   make docs     the site, into site/, with every link checked
#   make mutants  whether the tests notice small changes of the code, into docs/quality.md (at most an hour)
#
# Where pip would bring the CUDA build of torch and the CPU one is enough, give the index that PyTorch's installation page
# names for it:
#   make demo TORCH_INDEX=URL

PYTHON      ?= $(shell command -v python3.11 || command -v python3)
VENV        ?= .venv
TORCH_INDEX ?=
WORKERS     ?= 2
QUICK       ?=

BENCHMARKS := $(filter-out measuring,$(basename $(notdir $(wildcard benchmarks/*.py))))
RESULTS    := $(if $(QUICK),build/benchmarks,docs/results/benchmarks)

BIN     := $(VENV)/bin
TORCH   := $(shell grep '^torch==' constraints.txt)
INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt
WHAT    := pyproject.toml constraints.txt

export HF_HUB_OFFLINE = 1
export NO_MKDOCS_2_WARNING = 1

.PHONY: demo test lint bench docs mutants
.DELETE_ON_ERROR:

demo: $(VENV)/.has-demo
	$(BIN)/litotes demo

test: $(VENV)/.has-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --skip-budget 0.05 \
		--cov --cov-fail-under=95 --durations=10

lint: $(VENV)/.has-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/forbidden.py src

bench: $(VENV)/.has-dev
	@for name in $(BENCHMARKS); do \
		echo "== $$name"; \
		$(BIN)/python -m benchmarks.$$name $(if $(QUICK),--quick) --out $(RESULTS)/$$name.json || exit 1; \
	done
	$(BIN)/python -m tools.benchmarks_page $(if $(QUICK),$(RESULTS) $(RESULTS)/benchmarks.md)

docs: $(VENV)/.has-dev
	$(BIN)/mkdocs build --strict
	$(BIN)/python -m tools.links README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md site

mutants: $(VENV)/.has-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.mutants --workers $(WORKERS)

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
