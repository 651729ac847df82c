# Everything a fresh machine needs is Python 3.11 or newer with pip.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?= -m cislevel1 -n 8

# Hundreds of tests start Python: without it, each compiles the whole suite anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup dev demo audit test quick lint types selftest docs lock clean

setup: .venv/.locked

.venv/.locked: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

dev: .venv/.locked-dev

.venv/.locked-dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch .venv/.locked $@

# The sample organization has failing resources on purpose: exit status 1 (findings failed) is the expected end.
demo: setup
	$(BIN)/python -m pytest --demo -n 2 || test $$? -eq 1

audit: setup
	$(BIN)/python -m pytest $(ARGS)

test: lint types selftest

# For a look between two commits: lint, types and the self-tests of what changed since main.
quick: lint types
	tests="$$($(BIN)/python -m selftests.changed)" && \
	{ test -z "$$tests" || $(BIN)/python -m pytest $$tests -n 2 --dist worksteal -q; }

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy .

# The second command compares the calls that the checks made in the first with permissions/ and docs/.
selftest: dev
	rm -rf .calls
	trap 'echo "CPU, user and system: of the shell, of all tests"; times' EXIT; \
	AUDITEST_CALLS=.calls $(BIN)/python -m pytest selftests -n 3 --dist worksteal -q
	$(BIN)/python -m docs.generate --check --calls .calls

# Writes docs/checks.md, examples/config.toml and permissions/ from the checks and the calls they make in the self-tests.
docs: dev
	rm -rf .calls
	AUDITEST_CALLS=.calls $(BIN)/python -m pytest selftests/cis selftests/extras -n 2 -q
	$(BIN)/python -m docs.generate --calls .calls

# Rewrites the lock files from pyproject.toml (needs uv).
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
