"""Names, patterns and services on the command line, and which files a run imports for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.whole_runs import REGIONS, Emulator, Suite, clean_environment

OWN = '''
from plugins.catalog import check

@check("kms", severity="low", remediation="r")
def test_own_one(account):
    """One of a service's name."""

@check("own2", severity="low", remediation="r", service="sns")
def test_own_two(account):
    """Two of a service."""
'''
LATER = '''
from plugins.catalog import check

@check("ec2_elastic_ip_shodan", severity="low", remediation="r")
def test_later(account):
    """A check that the catalogue has planned."""
'''
DOOR = '''
from fixtures.model import Resource
from plugins.catalog import check

class Door(Resource, name="door", service="iam", scope="global"):
    """A kind that the other file asks for by its argument."""

    @classmethod
    def discover(cls, api):
        yield cls(api, id="front")

@check("own_kind", severity="low", remediation="r")
def test_kind(account):
    """It is not wanted."""
'''
DOORS = '''
from plugins.catalog import check

@check("own_door", severity="low", remediation="r")
def test_door(door):
    """A door is closed."""
'''


def ids(suite: Suite, *arguments: str) -> list[str]:
    done = suite("--list-checks", "-M", "json", *arguments)
    assert done.code == 0, done.err
    return [one["id"] for one in json.loads(done.out)]


def test_names_patterns_and_services(suite: Suite) -> None:
    assert ids(suite, "--check=eks_cluster_not_publicly_accessible,check101") == ["check11", "extra795", "extra796"]
    assert ids(suite, "--check=eks_cluster_*", "--exclude-check=extra795") == ["extra796", "extra797"]
    assert ids(suite, "--check=extra79[56]", "-E", "eks_cluster_kms_*,extra795") == ["extra796"]
    assert ids(suite, "--service=sqs,sns") == ["extra727", "extra728", "extra731"] == ids(suite, "-m", "sqs or sns")
    assert ids(suite, "--service=sqs,sns", "--check=extra73*") == ["extra731"]


def test_a_group_and_a_check_go_before_a_service_of_their_name(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_names_of_services.py").write_text(OWN)
    own = f"--checks-dir={tmp_path / 'own'}"
    assert "extra722" in ids(suite, "-m", "apigateway") == ids(suite, "--group=apigateway")
    assert "extra722" in ids(suite, "--service=apigateway")
    assert ids(suite, own, "-m", "kms") == ["kms"] == ids(suite, own, "--check=kms")
    assert ids(suite, own, "--service=kms") == ["check28", "extra736", "extra737"] == ids(suite, "-m", "kms")
    assert ids(suite, own, "-m", "sns") == ["extra731", "own2"]
    markers = suite("--markers").out
    assert "@pytest.mark.sqs: checks of the service sqs\n" in markers
    assert "@pytest.mark.cis-1-2: CIS Amazon Web Services Foundations Benchmark v1.2.0 (49 checks)\n" in markers
    assert markers.count("@pytest.mark.rds:") == 1


def test_a_service_that_only_checks_of_ones_own_are_about(emulator: Emulator, suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_queues.py").write_text(
        OWN.replace('service="sns"', 'service="mq"').replace('"kms"', '"own1"')
    )
    own, where = f"--checks-dir={tmp_path / 'own'}", "--filter-region=eu-west-1"
    for arguments in (("-m", "mq"), ("--service=mq",), ("-m", "sqs or mq", "-k", "own_two")):
        done = suite(own, where, *arguments, env=emulator.environment)
        assert done.code == 0, done.out + done.err
        assert [(one["Check ID"], one["Status"]) for one in done.findings()] == [("own2", "Pass")]


def test_a_name_of_a_check_to_come(suite: Suite, tmp_path: Path) -> None:
    refused = suite("--list-checks", "--check=extra7102")
    assert (refused.code, refused.err.split(";")[0]) == (4, "ERROR: --check: unknown check 'extra7102'")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_later.py").write_text(LATER)
    assert ids(suite, f"--checks-dir={tmp_path / 'own'}", "--check=extra7102") == ["ec2_elastic_ip_shodan"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "--check=iam_avoid_root_usge",
            "--check: unknown check 'iam_avoid_root_usge'; did you mean iam_avoid_root_usage",
        ),
        ("--check=extra73,s4_*", "--check: no check matches 's4_*'; did you mean s3_*"),
        ("--exclude-check=s4_*", "--exclude-check: no check matches 's4_*'"),
        ("--service=s3,clodtrail", "--service: unknown service 'clodtrail'; did you mean cloudtrail"),
        ("--group=cis-1-3", "--group: unknown group 'cis-1-3'; did you mean cis-1-2"),
    ],
)
def test_bad_names_are_one_line(suite: Suite, argument: str, message: str) -> None:
    for more in ((), ("--list-checks",)):
        done = suite(argument, *more)
        assert done.code == 4
        assert message in done.err
        assert done.err.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("extra73:x\ns4_*:x\n", 2, "unknown check or group 's4_*'"),
        ("- reason: r\n  check: [extra73, 's4_*']\n", 2, "unknown check or group 's4_*'"),
        ("- reason: r\n  check: extra7102\n", 2, "unknown check or group 'extra7102'"),
    ],
)
def test_bad_names_in_a_whitelist(suite: Suite, tmp_path: Path, text: str, line: int, message: str) -> None:
    (tmp_path / "accepted").write_text(text)
    done = suite(f"--whitelist={tmp_path / 'accepted'}", "--check=extra73")
    assert (done.code, done.err.strip().count("\n")) == (4, 0)
    assert f"line {line}: {message}" in done.err


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_by_names_and_a_whitelist_of_patterns(
    emulator: Emulator, suite: Suite, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "accepted").write_text("ec2_securitygroup_allow_*_tcp_port_22:*  # by design\n")
    done = suite(
        "--check=ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_*", "-E", "check42",
        f"--filter-region={','.join(REGIONS)}", f"--whitelist={tmp_path / 'accepted'}", "-n", workers,
        env=emulator.environment,
    )  # fmt: skip
    found = {(check, text.split(":")[0]) for (check, *_), text in done.statuses().items()}
    assert ("check41", "WARNING") in found
    assert "check42" not in {check for check, _ in found}
    assert ("check41", "FAIL") not in found
    assert "by design" in next(text for text in done.statuses().values() if text.startswith("WARNING"))


def imported(*arguments: str, folder: Path) -> set[str]:
    """The modules of services and test files that a run without accounts has imported when it has planned."""
    script = (
        "import sys, pytest\n"
        "code = pytest.main(sys.argv[1:])\n"
        "print('code', int(code))\n"
        "print('modules', *(name for name in sys.modules if name.startswith(('fixtures.services.', 'tests_', 'own'))))\n"
    )
    output = (f"--output-directory={folder}", "-p", "no:cacheprovider", "--output-formats=jsonl")
    done = subprocess.run(
        [sys.executable, "-c", script, *output, *arguments],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("modules"))
    return set(line.split()[1:])


QUEUE = {"fixtures.services.sqs", "tests_extras.test_sqs", "tests_extras"}


@pytest.mark.parametrize("name", ["extra728", "check728", "sqs_queues_server_side_*"])
@pytest.mark.parametrize("mode", [("--list-checks",), ("--demo", "--collect-only"), ()])
def test_a_check_imports_its_own_file_and_services_alone(tmp_path: Path, name: str, mode: tuple[str, ...]) -> None:
    if not mode:
        mode = (f"--replay={tmp_path / 'no-recording'}",)  # refused once the run is planned
    modules = imported(f"--check={name}", *mode, folder=tmp_path)
    assert "fixtures.services.sqs" in modules
    others = {name for name in modules if name.startswith(("fixtures.services.", "tests_extras.test", "tests_cis"))}
    assert others - QUEUE == set()


def test_help_reads_no_file_of_the_catalogue(tmp_path: Path) -> None:
    script = (
        "import sys, pytest\nimport plugins.catalog.files as files\n"
        "files.read_yaml = lambda file, kind: sys.exit(f'reads {file}')\n"
        "sys.exit(pytest.main(['-p', 'no:cacheprovider', '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--service" in done.stdout


def test_what_is_needed_for_more_than_the_check_is_imported(emulator: Emulator, suite: Suite, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "test_a_kind.py").write_text(DOOR)
    (own / "test_doors.py").write_text(DOORS)
    (own / "test_plain.py").write_text("def test_plain(account):\n    assert account.id\n")
    where = (f"--checks-dir={own}", "--filter-region=eu-west-1")
    done = suite("--check=own_door", *where, env=emulator.environment)
    assert [key[0] for key in done.statuses() if key[3] == "front"] == ["own_door"]
    assert "test_plain" in suite("--check=own_door", *where, "--collect-only", "-q", env=emulator.environment).out
    config = tmp_path / "config.toml"
    config.write_text("[iam_rotate_access_key_90_days]\nmax_access_key_age_days = 60\n")
    listed = suite("--check=own_door", f"--config={config}", *where, env=emulator.environment)
    assert listed.code == 0, listed.err


def test_a_check_that_only_a_text_tells_of(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_text.py").write_text(
        'from plugins.catalog import check\n\nTEXT = """\n@check("phantom", severity="low", remediation="r")\n'
        'def test_phantom(account): ...\n"""\n'
    )
    done = suite("--list-checks", "--check=phantom", f"--checks-dir={tmp_path / 'own'}")
    assert done.code == 4
    assert "--check: unknown check 'phantom'" in done.err
