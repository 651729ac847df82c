"""--output-bucket: reports arrive in the bucket, whole, and nothing else gets a way to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.session import base_session
from plugins.delivery.bucket import Destination, open_client, require_bucket, upload
from selftests.whole_runs import Emulator, Suite

CHECK = ("--check=check41", "--no-banner")
WRITER = """
def test_a_check_of_ones_own_cannot_write(aws_session, account):
    aws_session.client("s3", region_name="us-east-1").put_object(Bucket="reports", Key="smuggled", Body=b"x")
"""


def bucket(emulator: Emulator, name: str) -> Any:
    """A new bucket's client."""
    s3 = emulator.client("s3", "us-east-1")
    s3.create_bucket(Bucket=name)
    return s3


def keys(s3: Any, name: str) -> set[str]:
    return {one["Key"] for one in s3.list_objects_v2(Bucket=name).get("Contents", [])}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_report_is_uploaded_and_checks_still_only_read(emulator: Emulator, suite: Suite, workers: str) -> None:
    s3 = bucket(emulator, f"reports-{workers}")
    own = suite.folder / "own"
    own.mkdir()
    (own / "test_writer.py").write_text(WRITER.replace('"reports"', f'"reports-{workers}"'))
    done = suite(
        *CHECK, f"--checks-dir={own}", f"--output-bucket=s3://reports-{workers}/audits/daily/", "-n", workers,
        "--output-filename=audit", env=emulator.environment, formats="jsonl,csv,junit-xml",
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    wanted = {path.relative_to(done.folder).as_posix(): path for path in done.folder.rglob("audit*") if path.is_file()}
    assert len(wanted) == 4
    assert keys(s3, f"reports-{workers}") == {f"audits/daily/{name}" for name in wanted}
    for name, path in wanted.items():
        assert (
            s3.get_object(Bucket=f"reports-{workers}", Key=f"audits/daily/{name}")["Body"].read() == path.read_bytes()
        )
    assert f"uploaded 4 reports to s3://reports-{workers}/audits/daily/" in done.out
    assert "s3:PutObject is not a read-only operation" in done.out


def test_a_failing_upload_keeps_the_files_and_fails_the_run(emulator: Emulator, suite: Suite) -> None:
    """The bucket disappears between the look at it before the audit and the upload."""
    s3 = bucket(emulator, "short-lived")
    own = suite.folder / "own"
    own.mkdir()
    (own / "conftest.py").write_text(
        "import boto3\n\ndef pytest_collection_finish(session):\n"
        f"    boto3.client('s3', 'us-east-1', endpoint_url={emulator.url!r}).delete_bucket(Bucket='short-lived')\n"
    )
    (own / "test_fine.py").write_text(
        "from plugins.catalog import check\n\n@check('own1', severity='low', remediation='r')\n"
        "def test_fine(account):\n    'Fine.'\n"
    )
    done = suite(
        "--check=own1", f"--checks-dir={own}", "--output-bucket=s3://short-lived", env=emulator.environment
    )  # fmt: skip
    assert [one["Status"] for one in done.findings()] == ["Pass"]
    assert done.code == 1, done.out + done.err
    problem, facts = [line for line in done.out.splitlines() if line.startswith("ERROR! ")]
    assert ".meta.json was not uploaded to s3://short-lived/" in facts
    assert ".jsonl was not uploaded to s3://short-lived/: The specified bucket does not exist" in problem
    assert "Traceback" not in done.out + done.err
    assert "uploaded" not in done.out.replace(problem, "").replace(facts, "")
    with pytest.raises(s3.exceptions.ClientError):
        s3.head_bucket(Bucket="short-lived")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output-bucket=s3://no-such-bucket/x"], "s3://no-such-bucket: there is no such bucket"),
        (["--output-bucket=my-bucket"], "'my-bucket' is not of the form s3://bucket/prefix"),
        (["--output-bucket=s3://b/"], "'s3://b/' is not of the form"),
        (["--output-bucket=s3://reports", "--output-bucket-profile=nobody"], "--output-bucket: s3://reports: the "),
        (["--output-bucket=s3://reports", "--demo"], "--demo has no bucket that outlasts it"),
        (["--output-bucket-kms-key=k"], "--output-bucket-kms-key needs --output-bucket"),
    ],
)
def test_a_bucket_that_cannot_be_used_is_one_line_before_the_audit(
    emulator: Emulator, suite: Suite, arguments: list[str], message: str
) -> None:
    done = suite(*CHECK, *arguments, env=emulator.environment)
    assert done.code == 4, done.out + done.err
    (line,) = done.err.strip().splitlines()
    assert message in line
    assert not done.folder.exists() or not done.findings()


def test_a_replay_can_be_uploaded_with_credentials_and_only_with_them(emulator: Emulator, suite: Suite) -> None:
    s3 = bucket(emulator, "replayed")
    file = suite.folder / "run.rec"
    assert suite(*CHECK, f"--record={file}", "--filter-region=eu-west-1", env=emulator.environment).code == 1
    arguments = (*CHECK, f"--replay={file}", "--output-bucket=s3://replayed", "--output-filename=r")
    done = suite(*arguments, env=emulator.environment)
    assert keys(s3, "replayed") == {"r.jsonl", "r.meta.json"}, done.out + done.err
    none = {**emulator.environment, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = suite(*arguments, env=none)
    assert done.code == 4
    assert "--output-bucket: s3://replayed: no AWS credentials" in done.err


def test_an_interrupted_audit_uploads_nothing(emulator: Emulator, suite: Suite) -> None:
    """Its reports are there, but who reads the bucket would take them for the whole."""
    s3 = bucket(emulator, "interrupted")
    own = suite.folder / "own"
    own.mkdir()
    (own / "test_stop.py").write_text("def test_stop(account):\n    raise KeyboardInterrupt\n")
    done = suite(*CHECK, f"--checks-dir={own}", "--output-bucket=s3://interrupted", env=emulator.environment)
    assert done.code == 2, done.out + done.err
    assert done.findings()
    assert "ERROR! nothing was uploaded to s3://interrupted/: the audit did not come to its end" in done.out
    assert keys(s3, "interrupted") == set()


# -- the upload itself ---------------------------------------------------------------------------------------------


def test_a_big_file_goes_in_parts_and_arrives_whole(moto: None, tmp_path: Path) -> None:
    client = open_client(base_session(""))
    client.create_bucket(Bucket="parts")
    big, small = tmp_path / "big.html", tmp_path / "small.jsonl"
    big.write_bytes(bytes(range(256)) * 4096 * 20)
    small.write_bytes(b"{}\n")
    assert upload(client, [(big, "big.html"), (small, "sub/small.jsonl")], Destination("parts", "p/")) == (2, [])
    stored = client.get_object(Bucket="parts", Key="p/big.html")
    assert stored["ETag"].strip('"').endswith("-3")  # 20 MB in parts of 8 MB
    assert stored["ContentType"] == "text/html"
    assert stored["Body"].read() == big.read_bytes()
    assert client.get_object(Bucket="parts", Key="p/sub/small.jsonl")["Body"].read() == b"{}\n"


def test_encryption_is_the_buckets_own_or_the_key_that_was_named(moto: None, tmp_path: Path) -> None:
    client = open_client(base_session(""))
    client.create_bucket(Bucket="sealed")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/bucket"}}
    client.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [rule]})
    file = tmp_path / "a.csv"
    file.write_text("a")

    def key_of(name: str) -> str:
        stored = client.head_object(Bucket="sealed", Key=name)
        assert stored["ServerSideEncryption"] == "aws:kms"
        return str(stored["SSEKMSKeyId"])

    upload(client, [(file, "default")], Destination("sealed"))
    assert key_of("default") == "alias/bucket"
    upload(client, [(file, "named")], Destination("sealed", kms_key="alias/mine"))
    assert key_of("named") == "alias/mine"


def test_a_missing_file_is_named_and_the_others_arrive(moto: None, tmp_path: Path) -> None:
    client = open_client(base_session(""))
    client.create_bucket(Bucket="some")
    require_bucket(client, "some")
    (tmp_path / "here").write_text("x")
    sent, problems = upload(client, [(tmp_path / "gone", "gone"), (tmp_path / "here", "here")], Destination("some"))
    assert sent == 1
    assert len(problems) == 1
    assert problems[0].startswith("gone was not uploaded to s3://some/: ")
    assert "\n" not in json.dumps(problems)


def test_the_upload_has_the_credentials_of_its_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text("[archive]\naws_access_key_id = ARCHIVE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert open_client(base_session("archive"))._get_credentials().access_key == "ARCHIVE"
    assert open_client(base_session(""))._get_credentials().access_key == "testing"
