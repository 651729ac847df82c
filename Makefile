# Everything a fresh machine needs is Python 3.11 or newer with pip.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?= -m cislevel1 -n 8
UPGRADE ?= --upgrade-package boto3 --upgrade-package botocore
# Puts `auditest` beside `pytest`: the command with the suite of this folder.
COMMAND = printf '\#!/bin/sh\nexec "%s/python" "%s/plugins/command.py" "$$@"\n' "$(CURDIR)/$(BIN)" "$(CURDIR)" > $(BIN)/auditest; chmod +x $(BIN)/auditest

# Hundreds of tests start Python: without it, each compiles the whole suite anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup dev demo audit test quick lint types selftest docs lock changelog clean

setup: .venv/.locked

.venv/.locked: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(COMMAND)
	touch $@

dev: .venv/.locked-dev

.venv/.locked-dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(COMMAND)
	touch .venv/.locked $@

# The sample organization has failing resources on purpose: exit status 1 (findings failed) is the expected end.
demo: setup
	$(BIN)/python -m pytest --demo -n 2 || test $$? -eq 1

audit: setup
	@$(BIN)/python -m pytest $(ARGS) || { code=$$?; \
	echo "the audit's exit code is $$code; make's is always 2: a job runs $(BIN)/auditest itself" >&2; exit $$code; }

test: lint types selftest

# For a look between two commits: lint, types and the self-tests of what changed since main.
quick: lint types
	tests="$$($(BIN)/python -m selftests.changed)" && \
	{ test -z "$$tests" || $(BIN)/python -m pytest $$tests -n 2 --dist worksteal -q; }

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev
	$(BIN)/mypy .

# The second command compares the calls that the checks made in the first with permissions/ and docs/.
selftest: dev
	rm -rf .calls
	trap 'echo "CPU, user and system: of the shell, of all tests"; times' EXIT; \
	AUDITEST_CALLS=.calls $(BIN)/python -m pytest selftests -n 3 --dist worksteal -q
	$(BIN)/python -m docs.generate --check --calls .calls

# Writes docs/checks.md, examples/config.toml and permissions/ from the checks and the calls they make in the self-tests.
# The last command takes the answers of newly called operations into permissions/api/.
docs: dev
	rm -rf .calls
	AUDITEST_CALLS=.calls $(BIN)/python -m pytest selftests/checks -n 2 -q
	$(BIN)/python -m docs.generate --calls .calls
	$(BIN)/python -m permissions.api_changes --update

# Rewrites the lock files from pyproject.toml (needs uv) with the newest AWS SDK, installs it, and prints what AWS changed in
# the operations that the checks call (docs/aws-changes.md). UPGRADE=--upgrade takes the newest of everything, UPGRADE= nothing.
lock:
	uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra demo pyproject.toml -o requirements.lock
	uv pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra demo pyproject.toml --group dev -o requirements-dev.lock
	$(MAKE) dev
	$(BIN)/python -m permissions.api_changes

# What the next version's entry in CHANGELOG.md would be; VERSION=0.2.0 writes it and removes the files in changes/.
changelog: dev
	$(BIN)/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version next)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
