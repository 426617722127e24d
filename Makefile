# The environment lives in .venv inside the checkout; every target that needs it makes it when it is missing or old.
SHELL := /bin/bash
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS ?= dev
OUT ?= outputs/demo.mp4
DIR ?=
WORKERS ?= auto
TINY ?= outputs/tiny
SWEEP ?=
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal
# threads that spin while they wait are slow on a busy machine
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format train-tiny sweep-data table4 table5 table6 table7 fig11 notebooks parity clean

help:  ## print this list
	@grep -E '^[a-z0-9-]+:.*  ## ' $(MAKEFILE_LIST) | sed 's/:.*  ## /\t/' | expand -t 14

setup: $(STAMP)  ## make the environment in .venv (EXTRAS=dev,app,ray,launchers adds more)

$(STAMP): pyproject.toml constraints.txt
	@PYTHON='$(PYTHON)' VENV='$(VENV)' EXTRAS='$(EXTRAS)' bash scripts/setup.sh
	@touch $@

demo: $(STAMP)  ## portrait + speech -> outputs/demo.mp4, with the time of each phase
	@mkdir -p '$(dir $(OUT))'
	@$(BIN)/hallo-lit animate portrait=data/samples/portrait.png audio=data/samples/speech.wav \
		out=$(OUT)

test: $(STAMP)  ## the tests, one process per core and at most four (minutes; WORKERS=0: all in one)
	@$(PYTEST)

test-slow: $(STAMP)  ## the tests, and the trials that take longer
	@$(PYTEST) --slow

check: $(STAMP)  ## format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

format: $(STAMP)  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train-tiny: $(STAMP)  ## train the small model in outputs/tiny, or go on with it (hours; TINY=folder)
	@VENV='$(VENV)' bash scripts/train_tiny.sh '$(TINY)'

sweep-data: $(STAMP)  ## what the tables below train on and are judged by, in data/ablation
	@VENV='$(VENV)' bash scripts/ablation_data.sh

table4: sweep-data  ## the paper's table 4 on small models: which regions hear (trains what is missing; SWEEP=more words)
	@$(BIN)/hallo-lit evaluate sweep=table4_regions $(SWEEP)

table5: sweep-data  ## table 5: ways of joining the features of the regions, three seeds each
	@$(BIN)/hallo-lit evaluate sweep=table5_fusion $(SWEEP)

table6: sweep-data  ## table 6: scales of audio and image guidance
	@$(BIN)/hallo-lit evaluate sweep=table6_cfg $(SWEEP)

table7: $(STAMP)  ## table 7: time and memory with and without the regions, by size
	@$(BIN)/hallo-lit evaluate sweep=table7_speed $(SWEEP)

fig11: sweep-data  ## figure 11: weights of lips and expression
	@$(BIN)/hallo-lit evaluate sweep=fig11_weights $(SWEEP)

notebooks: $(STAMP)  ## run every notebook from top to bottom
	$(BIN)/python -m pytest --nbmake notebooks

parity: $(STAMP)  ## compare with vectors of the original: make parity DIR=folder
	@test -n '$(DIR)' || { echo 'make parity needs a folder of vectors: make parity DIR=tests/golden/hallo'; exit 2; }
	@$(BIN)/python tests/parity/run_vectors.py '$(DIR)'

clean:  ## remove the environment and caches, keep outputs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist build
