# Two commands do everything on a fresh machine: `make run` and `make test`.
# Each makes .venv, installs what is missing, and does its job. Windows and macOS: see README.md.

VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
# The first Python that fits; override with `make PYTHON=/path/to/python3.12 …`.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
            $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: run test test-all check bench bench-big fuzz samples screenshots clean system hostile
run: $(STAMP)
	@$(PY) packaging/demo.py

test: $(STAMP)
	@$(PY) -m pytest

test-all: $(STAMP)
	@$(PY) -m pytest -m "slow or not slow" --timeout=1800

check: $(STAMP)
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

bench: $(STAMP)
	@$(PY) -m tests.benchmarks

bench-big: $(STAMP)
	@$(PY) -m tests.benchmarks big

# make fuzz FORMAT=onnx N=100000 ; without FORMAT all of them
N ?= 2000
fuzz: $(STAMP)
	@$(PY) -m tests.fuzz --count $(N) $(if $(FORMAT),--format $(FORMAT))

hostile: $(STAMP)
	@$(PY) tests/hostile/table.py
	@$(PY) tests/hostile/probes.py

samples: $(STAMP)
	@$(PY) resources/samples/build.py

screenshots: $(STAMP)
	@$(PY) packaging/screenshots.py

system:
	@bash packaging/system_libraries.sh

$(STAMP): pyproject.toml packaging/system_libraries.sh
	@bash packaging/system_libraries.sh
	@test -n "$(PYTHON)" || { echo "Inspector needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing Inspector and the frameworks into $(VENV) (about 5 GB; a few minutes) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[all,test,dev]'
	@touch $(STAMP)

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
