# Set-up and the main jobs; `make demo` and `make test` do everything from a fresh clone.
PYTHON ?= python3
VENV := .venv

.PHONY: venv
venv: $(VENV)/.stamp

$(VENV)/.stamp: tvm-patches/requirements.lock tvm-patches/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tvm-patches/requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index -e tvm-patches
	touch $@
