# make demo    a sample MSP imported from a stand-in for Syncro, then the site in your browser
# make test    every test this machine can run; what was left out is said at the end
# make check   style, types, import rules, migrations, settings
# make bench   how fast and how large; prints, asserts no times
# make screenshots   the pictures of docs/screens anew; needs Chromium
# make setup   what `make demo` needs, without starting it
#
# Each makes .venv by itself, from the versions and hashes in requirements/. Needs Python 3.11 or newer with pip.
.PHONY: setup demo test check bench screenshots dev
.DELETE_ON_ERROR:

VENV = .venv
BIN = $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
DEPLOYED = export DJANGO_SETTINGS_MODULE=propolis.settings PROPOLIS_DATA_DIR=$$data PROPOLIS_URL=https://crm.example
INSTALL = $(PYTHON) requirements/install.py
# Compiled code is kept, outside the source, whatever this machine prefers: every process starts seconds sooner.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX = $(CURDIR)/$(VENV)/bytecode

setup: $(VENV)/.ready

dev: $(VENV)/.dev

demo: setup
	@$(BIN)/propolis demo

test: dev
	@$(BIN)/python -m tests

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_layout.py tests/test_docs.py
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && $(DEPLOYED) && \
		$(BIN)/python -m django makemigrations --check --dry-run && \
		$(BIN)/python -m django check --deploy --fail-level WARNING

bench: dev
	@$(BIN)/python -m bench

screenshots: dev
	@$(BIN)/python -m tests.screens

# The host's pip installs into .venv, quicker than giving .venv one of its own; where the host has none, .venv gets one.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Propolis needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@if $(PYTHON) -c 'import sys, pip; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))' 2>/dev/null; \
		then $(PYTHON) -m venv --without-pip $(VENV); else $(PYTHON) -m venv $(VENV); fi

$(VENV)/.base: requirements/base.txt | $(BIN)/python
	@echo "Installing what Propolis needs …"
	@$(INSTALL) requirements/base.txt
	@touch $@

# The web font is made while the project itself is installed.
$(VENV)/.ready: pyproject.toml $(VENV)/.base
	@$(BIN)/python -m propolis.ui.fonts & fonts=$$!; $(INSTALL) --here && wait $$fonts
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.ready
	@echo "Installing what working on Propolis needs …"
	@$(INSTALL) requirements/dev.txt
	@touch $@
