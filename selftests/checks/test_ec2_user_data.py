"""The checks of tests_extras/test_ec2_user_data.py."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.checks.test_cis_4_networking import unauthorized
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied
from selftests.fixtures.secrets.corpus import CERTIFICATE, PRIVATE, WORD, b64

HERE = "eu-west-1"
KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
CLEAN = b"#!/bin/bash\nyum update -y\n"
SECRET = f"#!/bin/bash\nyum update -y\nexport AWS_SECRET_ACCESS_KEY={KEY}\n".encode()
ACCENTS = "#!/bin/bash\n# déjà vu\npassword = 'S3cret-value-9'\n".encode()
PRIVATE_KEY = b"#!/bin/bash\n\xfe\ncat > key <<END\n-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n"


def mime(part: bytes) -> bytes:
    """A MIME file with one part in base64."""
    return (
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="==b=="\n\n--==b==\nContent-Type: text/x-shellscript\n'
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(part) + b"\n--==b==--\n"
    )


MIME = mime(SECRET)
BOOTSTRAP = (
    f"#!/bin/bash\nset -ex\nB64_CLUSTER_CA={b64(CERTIFICATE)}\n"
    "/etc/eks/bootstrap.sh prod --b64-cluster-ca $B64_CLUSTER_CA --apiserver-endpoint https://ABC.gr7.us-east-1.eks.amazonaws.com\n"
)
ECS_CONFIG = (
    "#!/bin/bash\ncat <<EOF >> /etc/ecs/ecs.config\nECS_ENGINE_AUTH_TYPE=dockercfg\n"
    f'ECS_ENGINE_AUTH_DATA={{"https://index.docker.io/v1/":{{"auth":"{b64("deploy:" + WORD)}","email":"e@example.com"}}}}\nEOF\n'
)
KEY_FILE = f"#cloud-config\nwrite_files:\n- path: /root/.ssh/id\n  encoding: b64\n  content: {b64(PRIVATE)}\n"
ASSIGNED, AWS_KEY = "secret assigned to a name", "AWS secret access key"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# -- instances


def instances(*ids: str, state: str = "running") -> dict[str, Stub]:
    found = [{"InstanceId": id, "State": {"Name": state}} for id in ids]
    return {"ec2:DescribeInstances": {"Reservations": [{"OwnerId": ACCOUNT, "Instances": found}]}}


def attribute(user_data: str | None) -> dict[str, Any]:
    return {"InstanceId": "i-1", "UserData": {} if user_data is None else {"Value": user_data}}


LABEL = f"i-1 (running) in {HERE}"
NO_SECRETS = f"PASS: the user data of {LABEL} was scanned and holds no secrets"
HOLDS = f"FAIL: the user data of {LABEL} holds secrets: "
NOT_DECODED = (
    "ERROR: ec2:DescribeInstanceAttribute failed in eu-west-1: UnexpectedAnswer: user data could not be decoded: "
)

CASES = {
    "no user data": (None, f"PASS: {LABEL} has no user data"),
    "empty": ("", f"PASS: {LABEL} has no user data"),
    "clean script": (encoded(CLEAN), NO_SECRETS),
    "secret key": (encoded(SECRET), f"{HOLDS}{AWS_KEY} in line 3"),
    "secret key, gzip": (encoded(gzip.compress(SECRET)), f"{HOLDS}{AWS_KEY} in line 3"),
    "clean, gzip": (encoded(gzip.compress(CLEAN)), NO_SECRETS),
    "accented letters and a password": (encoded(ACCENTS), f"{HOLDS}{ASSIGNED} in line 3"),
    "bad UTF-8 byte and a private key": (encoded(PRIVATE_KEY), f"{HOLDS}private key in line 4"),
    "secrets in several lines": (encoded(ACCENTS + SECRET + ACCENTS), f"{HOLDS}{ASSIGNED} in lines 3, 9; {AWS_KEY} in line 6"),
    "base64 part of a MIME file": (encoded(MIME), f"{HOLDS}{AWS_KEY} in line 8"),
    "harmless base64 part of a MIME file": (encoded(mime(CLEAN * 5)), NO_SECRETS),
    "certificate of a cluster": (encoded(BOOTSTRAP.encode()), NO_SECRETS),
    "registry credentials": (encoded(ECS_CONFIG.encode()), f"{HOLDS}user and password in base64 in line 4"),
    "password for chpasswd": (encoded(f"#!/bin/bash\necho 'ubuntu:{WORD}' | chpasswd\n".encode()), f"{HOLDS}password given to a command in line 2"),
    "key in a file of cloud-init": (encoded(KEY_FILE.encode()), f"{HOLDS}private key in line 5"),
    "the text None": (encoded(b"None\npassword='x9-abc'"), f"{HOLDS}{ASSIGNED} in line 2"),
    "says it is gzip": (encoded(b"\x1f\x8bno gzip"), f"{NOT_DECODED}it says it is gzip and is not"),
    "not base64": ("%%%", f"{NOT_DECODED}it is not base64"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_extra741(audit: Audit, case: str) -> None:
    user_data, expected = CASES[case]
    answers = {**instances("i-1"), "ec2:DescribeInstanceAttribute": attribute(user_data)}
    found = audit("extra741", answers=answers, live=False, regions=[HERE])
    assert list(found) == ["i-1"]
    assert found == {"i-1": expected}
    assert KEY not in str(found)
    assert "S3cret" not in str(found)
    assert WORD not in str(found)


def test_extra741_settings(audit: Audit) -> None:
    answers = {**instances("i-1"), "ec2:DescribeInstanceAttribute": attribute(encoded(SECRET))}

    def run(**settings: Any) -> str:
        return audit("extra741", answers=answers, live=False, regions=[HERE], **settings)["i-1"]

    assert run(secrets_ignore_patterns=["EXAMPLEKEY$"]) == NO_SECRETS
    assert run(secrets_ignore_patterns=["^AWS_SECRET_ACCESS_KEY="]) == NO_SECRETS
    assert run(secrets_ignore_patterns=["other"]).startswith("FAIL")
    answers["ec2:DescribeInstanceAttribute"] = attribute(encoded(b"x='0123456789abcdef0a1b2c3d'"))
    assert run() == f"{HOLDS}high-entropy string in line 1"
    assert run(secrets_hex_entropy_limit=3.99) == NO_SECRETS
    answers["ec2:DescribeInstanceAttribute"] = attribute(encoded(b"x='Zx3Kq8Wv1Tn6Bf4Yh9Lp2Dm7Rc5G'"))
    assert run() == f"{HOLDS}high-entropy string in line 1"
    assert run(secrets_base64_entropy_limit=5.5) == NO_SECRETS


def test_extra741_what_cannot_be_read(audit: Audit) -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any] | ApiError:
        assert params["Attribute"] == "userData"
        each: dict[str, dict[str, Any] | ApiError] = {
            "i-1": attribute(encoded(CLEAN)),
            "i-2": unauthorized("DescribeInstanceAttribute"),
            "i-3": ApiError("ec2", "DescribeInstanceAttribute", "InvalidInstanceID.NotFound", "it does not exist"),
        }
        return each[params["InstanceId"]]

    answers: dict[str, Stub] = {**instances("i-1", "i-2", "i-3"), "ec2:DescribeInstanceAttribute": answer}
    found = audit("extra741", answers=answers, live=False, regions=[HERE])
    assert found["i-1"] == NO_SECRETS
    assert found["i-2"].startswith("ERROR: access denied in eu-west-1: ec2:DescribeInstanceAttribute is needed")
    assert found["i-3"] == f"INFO: i-3 (running) in {HERE} was deleted during the audit"


def test_extra741_without_instances(audit: Audit) -> None:
    nothing: dict[str, Stub] = {"ec2:DescribeInstances": {"Reservations": []}}
    for gone in (nothing, instances("i-1", state="terminated")):
        found = audit("extra741", answers=gone, live=False, regions=[HERE])
        assert list(found) == [ACCOUNT]
        assert found[ACCOUNT].startswith("INFO")
        assert HERE in found[ACCOUNT]
        assert [call[2] for call in audit.backend.calls] == ["DescribeInstances"]
    denied = audit("extra741", answers={"ec2:DescribeInstances": unauthorized("x")}, live=False, regions=[HERE])
    assert denied[f"{ACCOUNT} {HERE}"].startswith("ERROR: access denied in eu-west-1: ec2:DescribeInstances is needed")


@pytest.mark.usefixtures("moto")
def test_extra741_against_an_emulator(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    image = "ami-12345678"
    ids = [
        ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]
        for more in ({}, {"UserData": CLEAN.decode()}, {"UserData": SECRET.decode()})
    ]
    found = audit("extra741", regions=[HERE])
    assert [found[id].partition(":")[0] for id in ids] == ["PASS", "PASS", "FAIL"]


# -- launch configurations and launch templates


def configuration(user_data: bytes | str | None, name: str = "workers") -> dict[str, Any]:
    value = encoded(user_data) if isinstance(user_data, bytes) else user_data
    return {
        "LaunchConfigurationName": name,
        "LaunchConfigurationARN": f"arn:aws:autoscaling:{HERE}:{ACCOUNT}:launchConfiguration:1-2:launchConfigurationName/{name}",
        **({} if value is None else {"UserData": value}),
    }


def world(*configurations: dict[str, Any], **templates: list[bytes | None]) -> dict[str, Stub]:
    """Launch configurations, and launch templates (name -> user data of version 1, 2...)."""

    def versions(params: dict[str, Any]) -> dict[str, Any]:
        assert params["IncludeManagedResources"]
        name = params["LaunchTemplateId"].removeprefix("lt-")
        found = [
            {"VersionNumber": number, "DefaultVersion": number == 2,
             "LaunchTemplateData": {} if data is None else {"UserData": encoded(data)}}
            for number, data in enumerate(templates[name], 1)
        ]  # fmt: skip
        return {"LaunchTemplateVersions": found[::-1]}

    listed = [{"LaunchTemplateId": f"lt-{name}", "LaunchTemplateName": name} for name in templates]
    return {
        "autoscaling:DescribeLaunchConfigurations": {"LaunchConfigurations": list(configurations)},
        # What an AWS service manages, EC2 lists only when asked for.
        "ec2:DescribeLaunchTemplates": lambda p: {
            "LaunchTemplates": listed if p.get("IncludeManagedResources") else []
        },
        "ec2:DescribeLaunchTemplateVersions": versions,
    }


def launched(audit: Audit, answers: dict[str, Stub], **settings: Any) -> dict[str, str]:
    found = audit("extra775", answers=answers, live=False, regions=[HERE], **settings)
    assert KEY not in str(found)
    assert "S3cret" not in str(found)
    return found


CONFIGURATIONS = {
    "without user data": (None, "PASS: {} has no user data"),
    "empty user data": ("", "PASS: {} has no user data"),
    "password assignment": (b"password = 'S3cret-value-9'", f"FAIL: the user data of {{}} holds secrets: {ASSIGNED} in line 1"),
    "accents and an access key": ("# é\n".encode() + SECRET, f"FAIL: the user data of {{}} holds secrets: {AWS_KEY} in line 4"),
    "gzip with a private key": (gzip.compress(PRIVATE_KEY), "FAIL: the user data of {} holds secrets: private key in line 4"),
    "gzip, clean": (gzip.compress(CLEAN), "PASS: the user data of {} was scanned and holds no secrets"),
    "certificate of a cluster": (BOOTSTRAP.encode(), "PASS: the user data of {} was scanned and holds no secrets"),
    "registry credentials": (ECS_CONFIG.encode(), "FAIL: the user data of {} holds secrets: user and password in base64 in line 4"),
    "two bytes that are not UTF-8": (b"\xfe\xfa", "PASS: the user data of {} was scanned and holds no secrets"),
    "byte order mark alone": (b"\xff\xfe", "PASS: the user data of {} was scanned and holds no secrets"),
    "says it is gzip": (b"\x1f\x8bno gzip", "ERROR: autoscaling:DescribeLaunchConfigurations failed in eu-west-1: UnexpectedAnswer: user data could not be decoded: it says it is gzip and is not"),
    "not base64": ("%%%", "ERROR: autoscaling:DescribeLaunchConfigurations failed in eu-west-1: UnexpectedAnswer: user data could not be decoded: it is not base64"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_extra775_launch_configurations(audit: Audit, case: str) -> None:
    user_data, expected = CONFIGURATIONS[case]
    found = launched(audit, world(configuration(user_data)))
    assert found == {"workers": expected.format(f"launch configuration workers in {HERE}")}


def test_extra775_names_with_slashes_and_blanks(audit: Audit) -> None:
    found = launched(audit, world(configuration(CLEAN, "a / b"), configuration(SECRET, "None\t* 'x'")))
    assert found["a / b"].startswith("PASS: the user data of launch configuration a / b in eu-west-1")
    assert found["None\t* 'x'"].startswith("FAIL")


def test_extra775_launch_templates(audit: Audit) -> None:
    found = launched(audit, world(old=[SECRET, CLEAN], none=[None, None], clean=[CLEAN], both=[ACCENTS, None, SECRET]))
    holds = "FAIL: the user data of launch template {} in eu-west-1 holds secrets: "
    assert found == {
        "lt-old": holds.format("lt-old (old)") + f"version 1: {AWS_KEY} in line 3",
        "lt-none": "PASS: launch template lt-none (none) in eu-west-1 has no user data",
        "lt-clean": "PASS: the user data of launch template lt-clean (clean) in eu-west-1 was scanned and holds no secrets",
        "lt-both": holds.format("lt-both (both)") + f"version 1: {ASSIGNED} in line 3; version 3: {AWS_KEY} in line 3",
    }
    assert [call[2] for call in audit.backend.calls].count("DescribeLaunchTemplateVersions") == 4


def test_extra775_ignore_patterns(audit: Audit) -> None:
    answers = world(configuration(SECRET), old=[SECRET])
    found = launched(audit, answers, secrets_ignore_patterns=["EXAMPLEKEY"])
    assert {verdict.partition(":")[0] for verdict in found.values()} == {"PASS"}


def test_extra775_template_that_cannot_be_read(audit: Audit) -> None:
    answers = world(broken=[CLEAN, b"\x1f\x8bno gzip"])
    assert launched(audit, answers)["lt-broken"] == (
        "ERROR: ec2:DescribeLaunchTemplateVersions failed in eu-west-1: UnexpectedAnswer: user data could not be decoded: "
        "it says it is gzip and is not"
    )
    answers["ec2:DescribeLaunchTemplateVersions"] = ApiError("ec2", "x", "InvalidLaunchTemplateId.NotFound", "gone")
    assert launched(audit, answers) == {
        "lt-broken": "INFO: launch template lt-broken (broken) in eu-west-1 was deleted during the audit"
    }
    answers["ec2:DescribeLaunchTemplateVersions"] = unauthorized("x")
    assert "ec2:DescribeLaunchTemplateVersions is needed" in launched(audit, answers)["lt-broken"]


def test_extra775_nothing_in_the_region(audit: Audit) -> None:
    found = launched(audit, world())
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith("INFO")
    assert HERE in found[ACCOUNT]


def test_extra775_one_listing_denied(audit: Audit) -> None:
    answers = world(configuration(CLEAN)) | {"ec2:DescribeLaunchTemplates": unauthorized("x")}
    found = launched(audit, answers)
    assert found["workers"].startswith("PASS")
    assert "ec2:DescribeLaunchTemplates is needed" in found[f"{ACCOUNT} {HERE}"]
    answers = world(t=[SECRET]) | {"autoscaling:DescribeLaunchConfigurations": access_denied("autoscaling", "x")}
    found = launched(audit, answers)
    assert found["lt-t"].startswith("FAIL")
    assert "autoscaling:DescribeLaunchConfigurations is needed" in found[f"{ACCOUNT} {HERE}"]


@pytest.mark.usefixtures("moto")
def test_extra775_against_an_emulator(audit: Audit) -> None:
    ec2, autoscaling = boto3.client("ec2", HERE), boto3.client("autoscaling", HERE)
    image = "ami-12345678"
    more = {"ImageId": image, "InstanceType": "t3.micro"}
    autoscaling.create_launch_configuration(LaunchConfigurationName="no/data", **more)
    autoscaling.create_launch_configuration(LaunchConfigurationName="secret", UserData=encoded(SECRET), **more)
    data = {"UserData": encoded(SECRET)}
    old = ec2.create_launch_template(LaunchTemplateName="old", LaunchTemplateData=data)["LaunchTemplate"][
        "LaunchTemplateId"
    ]
    ec2.create_launch_template_version(LaunchTemplateId=old, LaunchTemplateData={"UserData": encoded(CLEAN)})
    found = audit("extra775", regions=[HERE])
    assert {id: verdict.partition(":")[0] for id, verdict in found.items()} == {
        "no/data": "PASS",
        "secret": "FAIL",
        old: "FAIL",
    }
    assert "version 1: " in found[old]
    assert "version 2: " not in found[old]


def test_extra775_resource_types(audit: Audit) -> None:
    from fixtures.services.autoscaling import LaunchDefinition, LaunchTemplate

    assert (
        audit.checks["extra775"].resource_type == LaunchDefinition.resource_type == "AwsAutoScalingLaunchConfiguration"
    )
    assert (LaunchTemplate.resource_type, LaunchTemplate.kind) == ("AwsEc2LaunchTemplate", "launch_definition")
