"""The client of Security Hub against the stand-in: limits, throttling, refusals, and the guard before the import."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.access.session import base_session
from fixtures.api.errors import ApiError
from fixtures.api.live import AwsBackend
from fixtures.api.readonly import WriteRefused, importing_findings, is_allowed, refuse_writes
from plugins.delivery import hub, securityhub
from plugins.delivery.hub import Hub, Result, Stopped, archived, batches, times_of, updated
from plugins.delivery.securityhub import import_region
from plugins.outputs.asff_report import MOST_BYTES, Asff, asff
from selftests.conftest import ACCOUNT
from selftests.plugins.outputs.test_formats import finding
from selftests.standins.securityhub_server import SecurityHubServer, serving

EU = "eu-west-1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityHubServer]:
    with serving(SecurityHubServer()) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECURITYHUB", found.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield found


def client(stop: threading.Event | None = None) -> Hub:
    return Hub(AwsBackend(base_session(""), ACCOUNT), partition="aws", region=EU, stop=stop)


def some(number: int) -> list[Asff]:
    return [asff(finding(f"b{n}")) for n in range(number)]


def test_a_malformed_finding_does_not_keep_back_the_others(server: SecurityHubServer) -> None:
    findings = some(40)
    server.malformed = findings[13]["Id"]
    result = Result()
    client().send(findings, result)
    assert result.imported == 39
    assert result.problems == [
        f"not imported to {EU} of account {ACCOUNT}: {findings[13]['Id']}: InvalidInputException: a finding is malformed"
    ]


def test_a_hub_that_takes_no_finding_is_not_asked_for_each(server: SecurityHubServer) -> None:
    server.malformed = "auditest"
    with pytest.raises(ApiError, match="malformed"):
        client().send(some(8), Result())
    findings = [asff(replace(finding(f"b{n}"), account="999999999999")) for n in range(3)]
    server.malformed = ""
    result = Result()
    client().send(findings, result)
    assert [problem.rpartition(": ")[2] for problem in result.problems] == ["the account does not own the finding"] * 3


def test_a_finding_too_large_is_told(server: SecurityHubServer) -> None:
    large = some(2)
    large[0]["ProductFields"] |= {f"x{n}": "y" * 2000 for n in range(150)}
    result = Result()
    client().send(large, result)
    assert result.imported == 1
    assert "too large" in result.problems[0]
    assert server.batches == [1]


def test_throttling_is_waited_out_without_botocores_retries(
    server: SecurityHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LONGEST_WAIT", 0.1)
    server.throttle_every = 2
    result = Result()
    client().send(some(700), result)
    assert (result.imported, result.problems) == (700, [])
    assert server.throttled["injected"] >= 6
    server.throttle_every = 1
    with pytest.raises(ApiError, match="was throttled"):
        client().send(some(1), result)


def test_batches_are_bounded_by_number_and_size() -> None:
    assert [len(batch) for batch in batches(some(250))] == [100, 100, 50]
    large = some(60)
    for one in large:
        one["ProductFields"] |= {f"x{n}": "y" * 2000 for n in range(100)}
    sizes = [len(json.dumps({"Findings": batch})) for batch in batches(large)]
    assert len(sizes) > 1
    assert all(size < 6_000_000 for size in sizes)
    assert list(batches([])) == []
    assert MOST_BYTES < 240 * 1000 + 1


def test_stopping_ends_the_waiting(server: SecurityHubServer) -> None:
    stop = threading.Event()
    stop.set()
    hub = client(stop)
    with pytest.raises(Stopped):
        hub.send(some(200), Result())
    result = import_region(hub, some(2), now="2026-03-01T12:00:05Z", may_archive=lambda _: True, only_fails=False)
    assert result.problems == [f"not imported to {EU} of account {ACCOUNT}: the import was interrupted"]


def test_an_update_is_newer_than_what_is_there() -> None:
    (one,) = some(1)
    kept = updated(one, times_of(one | {"CreatedAt": "2026-01-01T00:00:00.5Z", "UpdatedAt": "2026-02-01T00:00:00Z"}))
    assert (kept["CreatedAt"], kept["UpdatedAt"]) == ("2026-01-01T00:00:00.5Z", one["UpdatedAt"])
    ahead = updated(one, times_of(one | {"UpdatedAt": "2026-03-01T12:01:00.250Z"}))
    assert ahead["UpdatedAt"] == "2026-03-01T12:01:01Z"
    assert updated(one, times_of(one | {"UpdatedAt": "nonsense"}))["UpdatedAt"] == one["UpdatedAt"]
    gone = archived(
        one | {"ProductFields": {"aws/x": "y", "z": "1"}, "CompanyName": "Personal"}, "2026-03-02T00:00:00Z"
    )
    assert (gone["RecordState"], gone["UpdatedAt"]) == ("ARCHIVED", "2026-03-02T00:00:00Z")
    assert gone["ProductFields"] == {"z": "1"}
    assert not {"CompanyName", "Workflow", "Note"} & gone.keys()


def test_importing_is_allowed_in_its_own_place_alone(server: SecurityHubServer) -> None:
    session = base_session("")
    direct = session.create_client("securityhub", region_name=EU, endpoint_url=server.url)
    with pytest.raises(WriteRefused):
        direct.batch_import_findings(Findings=some(1))
    with importing_findings():
        assert is_allowed("securityhub", "BatchImportFindings")
        assert not is_allowed("securityhub", "BatchUpdateFindings")
        elsewhere: list[bool] = []
        thread = threading.Thread(target=lambda: elsewhere.append(is_allowed("securityhub", "BatchImportFindings")))
        thread.start()
        thread.join()
        assert elsewhere == [False]
    with pytest.raises(WriteRefused):
        refuse_writes("securityhub", "BatchImportFindings")
    assert server.batches == []


def test_spools_are_on_disk(tmp_path: Path) -> None:
    spool = securityhub.Spool(tmp_path / "s")
    findings = some(securityhub.SPOOL_FINDINGS + 5)
    for one in findings:
        spool.add(one)
        assert len(spool._lines) < securityhub.SPOOL_FINDINGS
    assert list(spool) == findings == list(spool)
    spool.delete()
    assert not list(tmp_path.iterdir())
