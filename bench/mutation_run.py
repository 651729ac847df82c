"""Runs self-tests against mutants: one process collects, runs all tests once, and then forks for each mutant.

The one run tells which tests come by the place of which mutant (the functions are instrumented, see
``Module.instrumented``) and how long each takes. A fork begins with everything imported and warm; it gives the functions
the mutant's code, runs the tests that come by its place, quickest first, and ends at the first failure.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import FunctionType
from typing import cast

import pytest
from _pytest.runner import runtestprotocol

from bench.mutation_operators import PROBE, Codes, Module, Mutant

PATIENCE = 20.0
"""Seconds that a mutant's tests may take at the least, and ten times what they took unchanged: a loop is noticed."""
OURS = ("fixtures", "plugins", "tests_cis", "tests_extras", "selftests")
ENDED, SILENT, LATE = "noticed by ", "survived", "out of time"


class MutationError(Exception):
    """The mutation test itself cannot go on; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant. ``by`` is the test that noticed it, "" when none did."""

    mutant: Mutant
    tests: int
    """How many tests come by its place."""
    by: str


@dataclass
class Fork:
    """A process that tries a mutant; it writes to ``pipe`` what came of it. ``end`` is when it is given up."""

    mutant: Mutant | None
    tests: int
    pid: int
    pipe: int
    end: float
    text: str = ""


@dataclass
class Runner:
    """A pytest plugin that runs the collected tests in its own way; ``outcomes`` has what came of the mutants."""

    modules: Sequence[Module]
    mutants: Sequence[Mutant]
    processes: int
    outcomes: list[Outcome] = field(default_factory=list)
    error: str = ""

    def __post_init__(self) -> None:
        self.by_file = {module.file: module for module in self.modules}
        self.first: dict[str, int] = {}
        """File -> the number of its first place: places of all modules have different numbers."""
        for module, count in zip(self.modules, accumulate(len(one.slots) for one in self.modules), strict=True):
            self.first[module.file] = count - len(module.slots)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's loop: all tests unchanged, then those of each mutant in a fork."""
        try:
            if not session.items:
                raise MutationError("pytest collected no self-tests")
            read_checks(session.items)
            self.functions = live_functions({module.path for module in self.modules})
            covering, seconds = self._unchanged(session.items)
            forget_answers()
            gc.freeze()
            self._all(covering, seconds)
        except MutationError as error:
            self.error = str(error)
        return True

    def _unchanged(self, items: Sequence[pytest.Item]) -> tuple[dict[int, list[pytest.Item]], dict[pytest.Item, float]]:
        """Run all tests on instrumented code; the tests by the number of each place, and the seconds of each test.

        Raises MutationError when one fails.
        """
        reached: set[int] = set()

        def probe(number: int, value: object) -> object:
            reached.add(number)
            return value

        setattr(builtins, PROBE, probe)
        original = [(function, function.__code__) for found in self.functions.values() for function in found]
        for module in self.modules:
            self._install(module, module.instrumented(self.first[module.file]))
        covering: dict[int, list[pytest.Item]] = {}
        seconds: dict[pytest.Item, float] = {}
        for item in items:
            started = time.monotonic()
            failure = failure_of(item)
            if failure:
                raise MutationError(f"without any change, {item.nodeid} fails: mend it first\n{failure}")
            seconds[item] = time.monotonic() - started
            for number in reached:
                covering.setdefault(number, []).append(item)
            reached.clear()
        for function, code in original:
            function.__code__ = code
        return covering, seconds

    def _install(self, module: Module, codes: Codes) -> None:
        """Give the functions of a module other code; those that a call made and that no longer fit keep theirs."""
        for key, code in codes.items():
            for function in self.functions.get((module.path, *key), ()):
                with contextlib.suppress(ValueError):
                    function.__code__ = code

    def _all(self, covering: Mapping[int, list[pytest.Item]], seconds: Mapping[pytest.Item, float]) -> None:
        """Try every mutant, ``processes`` at a time; before them none at all, which no test may notice.

        Raises MutationError when a test fails in a fork without a change, or a fork could not try its mutant.
        """
        tests = {one: covering.get(self.first[one.file] + one.place, []) for one in self.mutants}
        every = list({item: None for found in tests.values() for item in found})
        waiting: list[tuple[Mutant | None, list[pytest.Item]]] = [(None, every), *tests.items()]
        running: list[Fork] = []
        try:
            while waiting or running:
                while waiting and len(running) < self.processes:
                    mutant, items = waiting.pop(0)
                    running.append(self._forked(mutant, sorted(items, key=seconds.__getitem__), seconds))
                for fork in ended(running):
                    running.remove(fork)
                    self._note(fork)
        finally:
            for fork in running:
                kill(fork)

    def _forked(self, mutant: Mutant | None, tests: list[pytest.Item], seconds: Mapping[pytest.Item, float]) -> Fork:
        """A process that runs these tests with the mutant's code and writes what came of it."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            end = time.monotonic() + max(PATIENCE, 10 * sum(seconds[item] for item in tests))
            return Fork(mutant, len(tests), pid, reading, end)
        text = SILENT
        try:
            os.setsid()
            silence()
            if mutant is not None:
                module = self.by_file[mutant.file]
                self._install(module, module.mutated(mutant))
            for item in tests:
                failure = failure_of(item)
                if failure:
                    text = f"{ENDED}{item.nodeid}" if mutant else f"{item.nodeid} fails in a fork\n{failure[-3000:]}"
                    break
        except BaseException as error:  # noqa: BLE001 - the fork must end here whatever happens
            text = repr(error)
        os.write(writing, text.encode()[:4000])
        os._exit(0)

    def _note(self, fork: Fork) -> None:
        """Keep what a fork says. Raises MutationError for one that could not try its mutant."""
        text, mutant = fork.text, fork.mutant
        if mutant is None:
            if text != SILENT:
                raise MutationError(f"without any change: {text}")
            return
        if text == SILENT:
            self.outcomes.append(Outcome(mutant, fork.tests, ""))
        elif text == LATE or text.startswith(ENDED):
            self.outcomes.append(Outcome(mutant, fork.tests, text.removeprefix(ENDED)))
        else:
            raise MutationError(f"{mutant.name}: {text or 'its process ended'}")
        done = len(self.outcomes)
        if sys.stderr.isatty() or done % 100 == 0:
            print(f"{done} of {len(self.mutants)}", file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n")


def ended(running: Sequence[Fork]) -> Iterator[Fork]:
    """The forks that have ended, after waiting for one to write or end; those out of time are killed first."""
    left = min(fork.end for fork in running) - time.monotonic()
    ready, _, _ = select.select([fork.pipe for fork in running], [], [], max(0.0, left))
    for fork in list(running):
        if fork.pipe in ready:
            fork.text = os.read(fork.pipe, 4096).decode(errors="replace")
        elif time.monotonic() > fork.end:
            kill(fork)
            fork.text = LATE
        else:
            continue
        os.close(fork.pipe)
        os.waitpid(fork.pid, 0)
        yield fork


def kill(fork: Fork) -> None:
    """End a fork and what its tests have started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(fork.pid, signal.SIGKILL)


def read_checks(items: Sequence[pytest.Item]) -> None:
    """Run one test that uses the fixture that reads the checks' files, so that their functions are there."""
    for item in items:
        if "checks" in getattr(item, "fixturenames", ()):
            failure_of(item)
            return


def failure_of(item: pytest.Item) -> str:
    """Run a test; how it failed, or "". Of what it has set up, only the session's fixtures stay."""
    for report in runtestprotocol(item, log=False, nextitem=cast(pytest.Item, item.session)):
        if report.failed:
            return report.longreprtext or report.when or "failed"
    return ""


def live_functions(paths: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """The function objects made from these files, by path, qualified name and first line; several of a file read twice."""
    found: dict[tuple[str, str, int], list[FunctionType]] = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType):
            code = thing.__code__
            if code.co_filename in paths:
                found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(thing)
    return found


def forget_answers() -> None:
    """Clear the caches of functions of this project, which unchanged code has filled."""
    for thing in gc.get_objects():
        if isinstance(thing, functools._lru_cache_wrapper) and str(thing.__module__).startswith(OURS):
            thing.cache_clear()


def silence() -> None:
    """Let the process print nothing: tracebacks of failures are of no interest."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
