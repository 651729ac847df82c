"""Light clients give the same answers: nothing that is needed is gone, nothing is mixed up, certificates are verified."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader

from fixtures import lean
from fixtures.backend import AwsBackend
from fixtures.errors import ApiError
from fixtures.readonly import is_ever_allowed
from fixtures.session import base_session
from selftests.standins.certificates import self_signed
from selftests.standins.listening import QuietHandler, listening

ROOT = Path(__file__).resolve().parents[2]
CALLS = yaml.safe_load((ROOT / "permissions" / "calls.yaml").read_text())
SERVICES = sorted({call.partition(":")[0] for calls in CALLS.values() for call in calls})


def test_a_service_without_writes_documentation_and_their_shapes() -> None:
    model: dict[str, Any] = {
        "metadata": {"apiVersion": "1"},
        "documentation": "all of it",
        "operations": {
            "ListThings": {"output": {"shape": "Things"}, "errors": [{"shape": "Refused"}], "documentation": "lists"},
            "DeleteThing": {"input": {"shape": "Name"}},
        },
        "shapes": {
            "Things": {
                "type": "structure",
                "members": {"documentation": {"shape": "Texts", "documentation": "a member"}},
            },
            "Texts": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}, "documentation": "a map"},
            "Text": {"type": "string", "max": 3},
            "Number": {"type": "integer"},
            "Refused": {"type": "structure", "members": {}},
            "Name": {"type": "string"},
        },
    }
    assert lean.reading_part(model, "things") == {
        "metadata": {"apiVersion": "1"},
        "documentation": "",
        "operations": {"ListThings": {"output": {"shape": "Things"}, "errors": [{"shape": "Refused"}]}},
        "shapes": {
            "Things": {"type": "structure", "members": {"documentation": {"shape": "Texts"}}},
            "Texts": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}},
            "Text": {"type": "string", "max": 3},
            "Number": {"type": "integer"},
            "Refused": {"type": "structure", "members": {}},
        },
    }


def undocumented(value: Any) -> Any:
    """The same without documentation texts."""
    if isinstance(value, dict):
        return {
            key: undocumented(one)
            for key, one in value.items()
            if not (key == "documentation" and isinstance(one, str))
        }
    return [undocumented(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("service", ["ec2", "iam", "lambda", "s3", "securityhub", "sts"])
def test_what_is_left_of_botocores_models_is_as_it_was(service: str) -> None:
    whole = undocumented(Loader().load_service_model(service, "service-2"))
    left = lean.ReadingLoader().load_service_model(service, "service-2")
    assert left["metadata"] == whole["metadata"]
    allowed = {name: one for name, one in whole["operations"].items() if is_ever_allowed(service, name)}
    assert undocumented(left["operations"]) == allowed
    assert undocumented(left["shapes"]) == {name: whole["shapes"][name] for name in left["shapes"]}
    assert 0 < len(left["shapes"]) < len(whole["shapes"])


@pytest.mark.usefixtures("moto")
def test_every_call_of_the_checks_is_in_the_light_clients() -> None:
    backend = AwsBackend(base_session(""))
    for service in SERVICES:
        known = backend.client(service, "eu-west-1").meta.service_model.operation_names
        wanted = {
            call.partition(":")[2] for calls in CALLS.values() for call in calls if call.startswith(f"{service}:")
        }
        assert wanted <= set(known), service


@pytest.mark.usefixtures("moto")
def test_clients_share_what_does_not_depend_on_the_region() -> None:
    one, other = AwsBackend(base_session("")), AwsBackend(base_session(""))
    here, there = one.client("sqs", "eu-west-1"), other.client("sqs", "us-east-1")
    sns = one.client("sns", "eu-west-1")
    assert type(here).__mro__[1] is type(there).__mro__[1] is not type(sns).__mro__[1]
    assert here._endpoint.http_session is there._endpoint.http_session is sns._endpoint.http_session
    assert here._ruleset_resolver._provider is there._ruleset_resolver._provider
    assert here._ruleset_resolver._provider is not sns._ruleset_resolver._provider
    assert (here.meta.region_name, there.meta.region_name) == ("eu-west-1", "us-east-1")
    assert here.meta.endpoint_url != there.meta.endpoint_url


def test_certificates_are_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Identity(QuietHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

    pem = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with listening(Identity) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "https" + address.removeprefix("http"))
        with pytest.raises(ApiError, match=r"SSLError.*certificate verify failed"):
            AwsBackend(base_session("")).call("eu-west-1", "sts", "GetCallerIdentity", {})
        monkeypatch.setenv("AWS_CA_BUNDLE", str(pem))
        for _ in range(2):
            answer = AwsBackend(base_session("")).call("eu-west-1", "sts", "GetCallerIdentity", {})
            assert answer == {"Account": "1"}
