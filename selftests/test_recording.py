"""fixtures/recorder.py and fixtures/recording.py: what is recorded comes back, and what was tampered with does not."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures.errors import ApiError
from fixtures.recorder import Recorder, RecordingBackend, from_outside, join, part_of
from fixtures.recording import RecordedAccount, Recording, RecordingError
from selftests.conftest import ACCOUNT, access_denied

NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
OTHER = "210987654321"
HOSTILE = 'pro"file\\ \n'
REGION = "eu-west-1"


def facts(id: str) -> RecordedAccount:
    return {
        "id": id, "partition": "aws", "regions": [REGION], "home_region": REGION, "global_region": "us-east-1",
        "name": "", "profile": "", "caller": f"arn:aws:iam::{id}:user/u", "regions_error": None,
    }  # fmt: skip


ANSWERS: dict[str, Any] = {
    "sqs:ListQueues": {"QueueUrls": ["a", "b"]},
    "iam:GetUser": {"User": {"CreateDate": NOW, "Blob": b"\x00\xff", "Name": "ü\u2028\ud800", "Tag": {"$time": "x"}}},
    "kms:ListKeys": access_denied("kms", "ListKeys", REGION),
}


@dataclass(frozen=True)
class Given:
    """Any answers: a recording keeps whatever there is, whether AWS answers so or not."""

    answers: Mapping[str, Any]

    def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Any:
        answer = self.answers[f"{service}:{operation}"]
        if isinstance(answer, Exception):
            raise answer
        return answer


def record(path: Path, accounts: tuple[str, ...] = (ACCOUNT, OTHER, HOSTILE)) -> Path:
    """A recording of two processes: the first saw every account, the second more calls of the first account."""
    for process, ids, answers in (
        ("gw0", accounts, ANSWERS),
        ("gw1", accounts[:1], {"ec2:DescribeVpcs": {"Vpcs": []}}),
    ):
        recorder = Recorder(part_of(path, process))
        for id in ids:
            backend = RecordingBackend(Given(answers), recorder, id)
            for name in answers:
                service, operation = name.split(":")
                with contextlib.suppress(ApiError):
                    backend.call(REGION, service, operation, {"B": [1], "A": id})
        recorder.close()
    join(path, suite="1.0", now=NOW, accounts=map(facts, accounts))
    return path


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    path = record(tmp_path / "r")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["r"]
    recording = Recording(path)
    recording.verify()
    assert (recording.now, recording.header.suite) == (NOW, "1.0")
    assert before.replace(microsecond=0) <= recording.header.finished <= datetime.now(UTC)
    assert recording.accounts == [facts(ACCOUNT), facts(OTHER), facts(HOSTILE)]
    for id in (ACCOUNT, OTHER, HOSTILE):
        backend = recording.backend(id)
        for name, answer in ANSWERS.items():
            service, operation = name.split(":")
            for _ in range(0 if isinstance(answer, ApiError) else 2):
                assert backend.call(REGION, service, operation, {"A": id, "B": [1]}) == answer
        with pytest.raises(ApiError) as denied:
            backend.call(REGION, "kms", "ListKeys", {"A": id, "B": [1]})
        assert str(denied.value) == str(ANSWERS["kms:ListKeys"])
        with pytest.raises(ApiError, match="NotRecorded"):
            backend.call(REGION, "sqs", "ListQueues", {})
    call = json.loads(lines_of(path)[1][17:].split(b"\t")[0])
    assert datetime.fromisoformat(call["t"]).tzinfo is not None
    assert recording.backend(ACCOUNT).call(REGION, "ec2", "DescribeVpcs", {"A": ACCOUNT, "B": [1]}) == {"Vpcs": []}


def test_what_does_not_come_from_the_api_is_recorded_too(tmp_path: Path) -> None:
    path = tmp_path / "r"
    recorder = Recorder(part_of(path, "main"))
    backend = RecordingBackend(Given({}), recorder, ACCOUNT)

    def refused() -> Any:
        raise ApiError("lambda", "GetFunction", "PackageNotRead", "too bad", region=REGION)

    assert from_outside(backend, REGION, "Scan", {"F": 1}, lambda: {"Total": 3}) == {"Total": 3}
    with pytest.raises(ApiError) as live:
        from_outside(backend, REGION, "Scan", {"F": 2}, refused)
    recorder.close()
    join(path, suite="1", now=NOW, accounts=[facts(ACCOUNT)])
    replay = Recording(path).backend(ACCOUNT)
    assert from_outside(replay, REGION, "Scan", {"F": 1}, refused) == {"Total": 3}
    with pytest.raises(ApiError) as replayed:
        from_outside(replay, REGION, "Scan", {"F": 2}, lambda: {})
    assert str(replayed.value) == str(live.value)
    assert from_outside(Given({}), REGION, "Scan", {}, lambda: {"x": 1}) == {"x": 1}


# -- tampering

Edit = Callable[[list[bytes]], list[bytes]]


def edited(path: Path, edit: Edit) -> None:
    """Change lines of the first section and pack it again, with its new size in a header that fits."""
    recording = Recording(path)
    lines = lines_of(path)
    count = recording.header.sections[0].lines
    first = gzip.compress(b"".join(edit(lines[1 : count + 1])), mtime=0)
    start = recording._header_size + recording.header.sections[0].size
    header = json.loads(lines[0][17:])
    header["sections"][0]["size"] = len(first)
    rest = path.read_bytes()[start:]
    path.write_bytes(with_header(header) + first + rest)


def with_header(header: dict[str, Any]) -> bytes:
    text = (json.dumps(header) + "\n").encode()
    return gzip.compress(hashlib.sha256(text).hexdigest()[:16].encode() + b" " + text, mtime=0)


def change(number: int) -> Edit:
    return lambda lines: [
        line.replace(b"eu-west-1", b"eu-west-2") if n == number else line for n, line in enumerate(lines, 2)
    ]


TAMPERED: list[tuple[str, Edit, int]] = [
    ("the first call changed", change(2), 2),
    ("a call changed", change(5), 5),
    ("the last call changed", change(10), 10),
    ("a call removed", lambda lines: [*lines[:2], *lines[3:]], 4),
    ("the first call removed", lambda lines: lines[1:], 2),
    ("the last call removed", lambda lines: lines[:-1], 10),
    ("all calls removed", lambda lines: [], 2),
    ("calls reordered", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 3),
    ("a call twice", lambda lines: [*lines[:2], *lines[1:]], 4),
    ("a call added at the end", lambda lines: [*lines, lines[0]], 11),
    ("a line cut", lambda lines: [*lines[:-1], lines[-1][:-20]], 10),
    ("an empty line added", lambda lines: [*lines[:4], b"\n", *lines[4:]], 6),
]


@pytest.mark.parametrize(("edit", "line"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED])
def test_tampering_is_named_with_the_first_bad_line(tmp_path: Path, edit: Edit, line: int) -> None:
    path = record(tmp_path / "r")
    edited(path, edit)
    with pytest.raises(RecordingError, match=rf"r, line {line}: changed, moved, removed or cut off since"):
        Recording(path).verify()
    with pytest.raises(RecordingError, match=rf"line {line}: "):
        Recording(path).backend(ACCOUNT).load()


def test_edits_that_change_nothing_are_no_tampering(tmp_path: Path) -> None:
    path = record(tmp_path / "r")
    edited(path, lambda lines: lines)
    Recording(path).verify()


def test_other_damage_is_named(tmp_path: Path) -> None:
    data = record(tmp_path / "r").read_bytes()
    recording = Recording(tmp_path / "r")
    header = json.loads(lines_of(tmp_path / "r")[0][17:])
    size, (first, _) = recording._header_size, recording.header.sections
    swapped = data[:size] + data[size + first.size :] + data[size : size + first.size]
    last = {**header, "sections": header["sections"][:1]}
    cases = [
        (data[: len(data) // 2], r", line \d+: the recording is cut off here"),
        (data[:size], r", line 2: changed, moved, removed or cut off"),
        (data[: size + first.size], r", line 11: changed, moved, removed or cut off"),
        (data[:-1], r", line 12: the recording is cut off here"),
        (data[:20], r", line 1: the recording is cut off here"),
        (b"", r", line 1: the recording is cut off here"),
        (data + b"x", r", line 12: not part of what was recorded"),
        (data + data[size:], r", line 12: not part of what was recorded"),
        (swapped, r", line \d+: "),
        (with_header(last) + data[size:], r", line 11: not part of what was recorded"),
        (data[:size + 40] + bytes(60) + data[size + 100 :], r", line \d+: (the file is damaged|changed)"),
        (b"hello", r", line 1: the file is damaged"),
        (gzip.compress(b"hello\n"), r", line 1: not a recording, or a part of one"),
        (gzip.compress(b"[" * 100_000), r", line 1: not a recording"),
        (gzip.compress(lines_of(tmp_path / "r")[0].replace(b"1.0", b"2.0")), r", line 1: the header was changed"),
        (gzip.compress(b'{"auditest-recording":1,"now":{}}\n'), r"recording format 1 is not known here: record again"),
        (with_header({**header, "sections": 3}), r", line 1: not a header"),
        (with_header({**header, "sections": [{**header["sections"][0], "size": -1}]}), r", line 1: not a header"),
    ]  # fmt: skip
    for number, (damaged, message) in enumerate(cases):
        path = tmp_path / f"damaged{number}"
        path.write_bytes(damaged)
        with pytest.raises(RecordingError, match=message) as error:
            Recording(path).verify()
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(RecordingError, match="cannot be read"):
        Recording(tmp_path / "missing")


def test_a_forged_recording_has_another_seal(tmp_path: Path) -> None:
    seal = Recording(record(tmp_path / "r")).seal
    assert Recording(tmp_path / "r").seal == seal
    edited(tmp_path / "r", lambda lines: lines[:-1])
    assert Recording(tmp_path / "r").seal != seal


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a recording."""
    return record(tmp_path_factory.mktemp("sample") / "r").read_bytes()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8), st.integers(0, 30)), max_size=4),
    text=st.binary(max_size=200),
    whole=st.booleans(),
)
@example(cuts=[], text=b'{"auditest-recording":2}', whole=True)
def test_no_damage_is_more_than_a_recording_error(
    tmp_path: Path, sample: bytes, cuts: list[tuple[float, bytes, int]], text: bytes, whole: bool
) -> None:
    data = sample
    for place, replacement, removed in cuts:
        at = int(place * len(data))
        data = data[:at] + replacement + data[at + removed :]
    if whole:
        data = gzip.compress(hashlib.sha256(text + b"\n").hexdigest()[:16].encode() + b" " + text + b"\n")
    path = tmp_path / "fuzzed"
    path.write_bytes(data)
    try:
        recording = Recording(path)
        recording.verify()
        recording.backend(ACCOUNT).load()
    except RecordingError as error:
        refused = str(error)
        assert refused.startswith(str(path))
    else:
        assert data == sample or gzip.decompress(data) == gzip.decompress(sample)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["$time", "$bytes", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=st.dictionaries(st.sampled_from(["a", "r", "s", "o", "p", "t", "v", "e"]), JSONS))
def test_forged_lines_are_recording_errors_or_answers(tmp_path: Path, members: dict[str, Any]) -> None:
    """A recording whose chain was computed anew: what stands in it is still only data."""
    good = {"a": ACCOUNT, "r": REGION, "s": "sqs", "o": "ListQueues", "p": {}, "t": NOW.isoformat(), "v": {}}
    which, outcome = (
        {key: value for key, value in {**good, **members}.items() if (key in "ve") is last} for last in (False, True)
    )
    text = "\t".join(json.dumps(part, separators=(",", ":")) for part in (which, outcome)).encode() + b"\n"
    digest = hashlib.sha256(text).hexdigest()
    section = gzip.compress(digest[:16].encode() + b" " + text)
    header = {"auditest-recording": 2, "suite": "1", "now": NOW.isoformat(), "finished": NOW.isoformat(), "accounts": [facts(ACCOUNT)],
              "sections": [{"lines": 1, "size": len(section), "sha256": digest, "accounts": [ACCOUNT]}]}  # fmt: skip
    path = tmp_path / "forged"
    path.write_bytes(with_header(header) + section)
    try:
        recording = Recording(path)
        recording.verify()
        answer = recording.backend(ACCOUNT).call(REGION, "sqs", "ListQueues", {})
    except (RecordingError, ApiError):
        return
    assert isinstance(answer, dict)


# -- runs that were cut off


def test_a_run_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "r"
    recorder = Recorder(part_of(path, "main"))
    recorder.answer(ACCOUNT, REGION, "sqs", "ListQueues", {}, {})
    recorder._file.flush()
    recorder._raw.flush()
    for there in (False, True):
        if there:
            path.write_bytes(b"an older one")
        with pytest.raises(RecordingError, match=r"the run that recorded it was cut off \(r.main.part is left\)"):
            Recording(path)
    with pytest.raises(RecordingError, match=r"line 1: (not a recording, or a part|the recording is cut off)"):
        Recording(part_of(path, "main"))
    recorder.close()
    (tmp_path / "r.2.main.part").touch()  # of another recording
    join(path, suite="1", now=NOW, accounts=[])
    Recording(path).verify()
    assert (tmp_path / "r.2.main.part").exists()


def test_a_part_whose_process_was_killed_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "r"
    Recorder(part_of(path, "gw0"))
    Recorder(part_of(path, "gw1")).close()
    header, _, left_out = join(path, suite="1", now=NOW, accounts=[])
    assert (len(header.sections), left_out) == (1, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["r"]


def test_a_full_disk_ends_the_recording_and_not_the_audit(tmp_path: Path) -> None:
    recorder = Recorder(part_of(tmp_path / "r", "main"))

    def full(_: bytes) -> int:
        raise OSError(28, "No space left on device")

    recorder._file.write = full  # type: ignore[assignment,method-assign]
    for _ in range(2):
        recorder.answer(ACCOUNT, REGION, "sqs", "ListQueues", {}, {})
    recorder.close()
    assert recorder.error == "No space left on device"
    assert not (tmp_path / "r.main.part.seal").exists()


def test_an_older_file_keeps_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(b"old")
    path.chmod(0o644)
    record(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
