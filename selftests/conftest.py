"""Fixtures of the suite's own tests: a moto emulator, and ``audit``, which runs single checks against it."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import pkgutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.session import base_session
from fixtures.api.backend import Answer, Backend
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, UnexpectedAnswer
from fixtures.api.live import AwsBackend
from fixtures.api.regions import global_region_of
from fixtures.model import Account
from plugins.audit.discovery import discover, rows_for
from plugins.catalog.checks import Check, check_of
from plugins.findings.verdict import Status, evaluate
from plugins.suite import ROOT
from selftests.answers import Misfit, fitting, operation_model, verify_parameters
from selftests.answers import Stub as Stub
from selftests.whole_runs import aws, emulator, suite  # noqa: F401 - fixtures

pytest.register_assert_rewrite("selftests.checks_harness")

# A shell's background job ignores Ctrl-C, and so would every process that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ACCOUNT = "123456789012"
"""moto's default account."""


def every_check() -> dict[str, Check]:
    """All checks of the suite by id, read from the test modules."""
    found: dict[str, Check] = {}
    for folder in ("tests_cis", "tests_extras"):
        for module in pkgutil.iter_modules([str(ROOT / folder)]):
            spec = importlib.util.spec_from_file_location(module.name, ROOT / folder / f"{module.name}.py")
            assert spec is not None
            assert spec.loader is not None
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
            for _, function in inspect.getmembers(loaded, inspect.isfunction):
                check = check_of(function)
                if check is not None:
                    found[check.id] = check
    return found


@pytest.fixture(scope="session")
def checks() -> dict[str, Check]:
    """All checks of the suite by id."""
    return every_check()


def access_denied(service: str, operation: str, region: str = "us-east-1") -> ApiError:
    """The error of a call that IAM refuses."""
    return ApiError(service, operation, "AccessDenied", "User is not authorized", region=region)


def _fitting(key: str, stub: Stub) -> Answer | Exception | Callable[[dict[str, Any]], Any]:
    """A stub whose service, operation and form botocore knows. Raises Misfit."""
    service, _, operation = key.partition("@")[0].partition(":")
    operation_model(service, operation)
    return stub if isinstance(stub, Exception) or callable(stub) else fitting(service, operation, stub)


class StubBackend:
    """Answers given by the test; what is not given goes to ``inner`` (moto), or is an error that names the call.

    Keys of ``answers``: ``"service:Operation"``, or ``"service:Operation@region"`` for one region. A value is the
    answer, an exception to raise, or a function of the parameters that gives either. Answers and the parameters of all
    calls must fit botocore's models (see selftests.answers): raises Misfit, and keeps those of calls in ``misfits``,
    for a check may not let them through.
    """

    def __init__(self, answers: Mapping[str, Stub], inner: Backend | None) -> None:
        self.answers = {key: _fitting(key, stub) for key, stub in answers.items()}
        self.inner = inner
        self.calls: list[tuple[str, str, str, dict[str, Any]]] = []
        self.unanswered: list[str] = []
        """Calls for which there was no answer."""
        self.misfits: list[Misfit] = []

    def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        self.calls.append((region, service, operation, dict(params)))
        try:
            verify_parameters(service, operation, params)
            stub = self._stub(region, service, operation, params)
        except Misfit as misfit:
            self.misfits.append(misfit)
            raise
        if isinstance(stub, ApiError):
            kind = UnexpectedAnswer if isinstance(stub, UnexpectedAnswer) else ApiError
            error = kind.__new__(kind)
            ApiError.__init__(error, service, operation, stub.code, stub.reason, region=region)
            raise error
        if isinstance(stub, Exception):
            raise stub
        if stub is not None:
            return stub
        if self.inner is None:
            self.unanswered.append(f"{service}:{operation}")
            raise ApiError(
                service, operation, "NotStubbed", f"the test gives no answer for {dict(params)}", region=region
            )
        return self.inner.call(region, service, operation, params)

    def _stub(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer | Exception | None:
        name = f"{service}:{operation}"
        stub = self.answers.get(f"{name}@{region}", self.answers.get(name))
        if stub is None and name == "cloudtrail:GetEventSelectors":
            stub = self._default_selectors()
        if not callable(stub):
            return stub
        made = stub(dict(params))
        return made if isinstance(made, Exception | None) else fitting(service, operation, made)

    def _default_selectors(self) -> Answer | None:
        """What AWS answers of a trail whose description in the test says that nobody has set selectors.

        Source: CloudTrail User Guide, "Logging management events": a trail logs all management events by default.
        """
        given = self.answers.get("cloudtrail:DescribeTrails")
        trails = given.get("trailList", []) if isinstance(given, dict) else []
        if not trails or any(trail.get("HasCustomEventSelectors", True) for trail in trails):
            return None
        default = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
        return {"EventSelectors": [default], "AdvancedEventSelectors": []}


@dataclass(frozen=True)
class Found:
    """A finding of an audit; ``crash`` is the traceback of an error in the check's own code."""

    id: str
    """The resource's, the account's where there is none, or ``<account id> <region>`` where it cannot be listed."""
    arn: str
    region: str
    status: Status
    message: str
    crash: str = ""
    is_listing: bool = False
    """Whether it says that resources cannot be listed."""

    def __str__(self) -> str:
        return f"{self.status}: {self.message}" if self.message else self.status


class Audit:
    """``audit(check_id, ...)`` runs one check and gives ``{resource id: "STATUS: message"}``.

    A PASS without words of its own is just ``"PASS"``. A kind without resources gives ``{account id: "INFO: ..."}``, as
    a run does; a kind that cannot be listed gives ``{"<account id> <region>": "ERROR: ..."}``. ``answers`` as in
    StubBackend; ``live=False`` without moto behind them. ``settings`` are thresholds. ``self.backend`` has the calls of
    the last audit.
    """

    def __init__(self, checks: dict[str, Check]) -> None:
        self.checks = checks
        self.backend = StubBackend({}, None)

    def __call__(
        self,
        check_id: str,
        *,
        answers: Mapping[str, Stub] | None = None,
        live: bool = True,
        regions: Sequence[str] = ("us-east-1", "eu-west-1"),
        partition: str = "aws",
        account: str = ACCOUNT,
        now: datetime | None = None,
        **settings: Any,
    ) -> dict[str, str]:
        found = self.findings(
            check_id, answers=answers, live=live, regions=regions, partition=partition, account=account, now=now,
            settings=settings,
        )  # fmt: skip
        result: dict[str, str] = {}
        for one in found:
            assert not one.crash, one.crash
            key = one.id
            while key in result:
                key += "'"
            result[key] = str(one)
        return result

    def findings(
        self,
        check_id: str,
        *,
        answers: Mapping[str, Stub] | None = None,
        live: bool = True,
        regions: Sequence[str] = ("us-east-1", "eu-west-1"),
        partition: str = "aws",
        account: str = ACCOUNT,
        now: datetime | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> list[Found]:
        """The findings one by one, crashes included. A message that is only the check's title is left out."""
        check = self.checks[check_id]
        settings = settings or {}
        assert set(settings) <= set(check.settings), f"{check_id} has no setting {set(settings) - set(check.settings)}"
        self.backend = StubBackend(answers or {}, AwsBackend(base_session(""), account) if live else None)
        crew = Crew(8)
        audited = Account(
            account, backend=self.backend, crew=crew, now=now or utcnow(), partition=partition, regions=regions,
            home_region=global_region_of(partition), global_region=global_region_of(partition),
        )  # fmt: skip
        try:
            assert check.resource is not None, f"{check_id} asks for {check.kind!r}, which is no resource"
            found = discover([check.resource], [audited], crew)
            result: list[Found] = []
            for row in rows_for(check, found, [audited]):
                verdict = row.verdict or evaluate(check, row.subject, settings)
                message = "" if verdict.message == check.title else verdict.message
                is_listing = row.resource is None and verdict.status == "ERROR"
                place = (row.label, row.subject.arn, row.region)
                result.append(Found(*place, verdict.status, message, verdict.crash, is_listing))
            return result
        finally:
            crew.close()
            self.note_calls(check_id)
            if self.backend.misfits:
                raise self.backend.misfits[0]

    def note_calls(self, check_id: str) -> None:
        """Compare the calls of a check with permissions/calls.yaml; AUDITEST_CALLS gathers them instead."""
        made = {f"{service}:{operation}" for _, service, operation, _ in self.backend.calls}
        MADE.setdefault(check_id, set()).update(made)
        unknown = sorted(made - set(known_calls().get(check_id, ())))
        if unknown and CALLS_FOLDER not in os.environ and known_calls():
            raise AssertionError(f"{check_id} makes {', '.join(unknown)}, not in permissions/calls.yaml: run make docs")


CALLS_FOLDER = "AUDITEST_CALLS"
MADE: dict[str, set[str]] = {}
"""The calls of this process's tests, by check id."""


@functools.lru_cache(maxsize=1)
def known_calls() -> dict[str, list[str]]:
    """permissions/calls.yaml, read once."""
    from permissions.policy import CALLS, calls

    return calls() if CALLS.exists() else {}


def pytest_sessionfinish() -> None:
    """Leave the calls of this process's tests in the folder that AUDITEST_CALLS names."""
    folder = os.environ.get(CALLS_FOLDER)
    if folder and MADE:
        Path(folder).mkdir(parents=True, exist_ok=True)
        text = json.dumps({id: sorted(made) for id, made in MADE.items()})
        Path(folder, f"{os.getpid()}.json").write_text(text)


@pytest.fixture
def audit(checks: dict[str, Check]) -> Audit:
    """Run one check, see Audit."""
    return Audit(checks)


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever reaches AWS with the developer's credentials."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def moto() -> Iterator[None]:
    """A fresh in-process emulator: use it with boto3 clients to build the world of a test."""
    from selftests.standins.moto_worlds import world

    with world():
        yield
