"""A stand-in for STS in front of the emulator, which knows neither MFA nor an end of credentials.

It answers sts:GetSessionToken, AssumeRole and AssumeRoleWithWebIdentity as AWS does, and passes everything else on,
unless the credentials that sign it have ended. Sources: STS API reference; IAM User Guide, "Roles terms and concepts"
(role chaining) and "Using multi-factor authentication (MFA) in AWS" (a code counts once).
"""

from __future__ import annotations

import itertools
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from selftests.standins.listening import QuietHandler, listening

SECRET = "stand-in-secret-key"
CHAINED_SECONDS = 3600
CHAINING = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Key:
    """An access key that was issued. ``kind``: session, role or web."""

    kind: str
    ends: float
    mfa: bool = False
    upstream: str = ""
    """The emulator's key in its place, by which the emulator knows the account."""


@dataclass
class StsServer:
    """How it behaves, and what it was asked."""

    emulator: str
    codes: dict[str, str] = field(default_factory=dict)
    """MFA device -> the code that is right."""
    external_ids: dict[str, str] = field(default_factory=dict)
    """Role ARN -> the external ID that it asks for."""
    mfa_roles: set[str] = field(default_factory=set)
    """Roles that can be assumed with MFA only."""
    web_token: str = ""
    """The identity token that is right."""
    lifetime: float | None = None
    """Seconds after which a role's credentials end, whatever was asked for."""
    delay: float = 0.0
    """Seconds that every passed-on call takes."""
    issued: dict[str, Key] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The requests to STS: parameters, and the key that signed as ``by``."""
    refused: list[str] = field(default_factory=list)
    """The calls that were signed with credentials that had ended."""
    keys_of_calls: list[str] = field(default_factory=list)
    """The access keys of the calls that were passed on."""
    url: str = ""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._spent: set[str] = set()

    def count(self, action: str) -> int:
        """How often STS was asked for something."""
        return sum(one["Action"] == action for one in self.asked)

    # -- STS -----------------------------------------------------------------------------------------------------

    def sts(self, params: dict[str, str], by: str) -> str:
        """The answer's XML. Raises Refused."""
        with self._lock:
            self.asked.append({**params, "by": by})
            key = self.issued.get(by)
            if params["Action"] == "GetSessionToken":
                return self._session_token(params, key)
            role = params["RoleArn"]
            if params["Action"] == "AssumeRoleWithWebIdentity":
                if params["WebIdentityToken"] != self.web_token:
                    raise Refused("InvalidIdentityToken", "Couldn't retrieve verification key", 400)
                return self._credentials(params, Key("web", self._end(params, 3600)), role)
            return self._assumed(params, key, by, role)

    def _session_token(self, params: dict[str, str], key: Key | None) -> str:
        if key is not None:
            raise Refused("AccessDenied", "Cannot call GetSessionToken with session credentials")
        serial, code = params["SerialNumber"], params["TokenCode"]
        if self.codes.get(serial) != code or code in self._spent:
            raise Refused("AccessDenied", WRONG_CODE)
        self._spent.add(code)
        return self._credentials(params, Key("session", time.time() + 43200, mfa=True, upstream="testing"), "")

    def _assumed(self, params: dict[str, str], key: Key | None, by: str, role: str) -> str:
        expected = self.external_ids.get(role)
        if (expected and params.get("ExternalId") != expected) or (role in self.mfa_roles and not (key and key.mfa)):
            message = f"User: {by} is not authorized to perform: sts:AssumeRole on resource: {role}"
            raise Refused("AccessDenied", message)
        chained = key is not None and key.kind in ("role", "web")
        if chained and int(params.get("DurationSeconds", 3600)) > CHAINED_SECONDS:
            raise Refused("ValidationError", CHAINING, 400)
        return self._credentials(params, Key("role", self._end(params, 3600)), role)

    def _end(self, params: dict[str, str], default: int) -> float:
        return time.time() + (self.lifetime or int(params.get("DurationSeconds", default)))

    def _credentials(self, params: dict[str, str], key: Key, role: str) -> str:
        """Issue a key; the emulator learns of a role's, so that it knows the account."""
        if role:
            key.upstream = self._upstream_key(role)
        access_key = f"ASIASTANDIN{next(self._numbers):09d}"
        self.issued[access_key] = key
        ends = (datetime.now(UTC) + timedelta(seconds=key.ends - time.time())).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        action = params["Action"]
        arn = (
            role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/" + params.get("RoleSessionName", "")
        )
        user = f"<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>{escape(arn)}</Arn></AssumedRoleUser>"
        return (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>{user if role else ""}'
            f"<Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>"
            f"<SessionToken>token-of-{access_key}</SessionToken><Expiration>{ends}</Expiration></Credentials>"
            f"</{action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
        )

    def _upstream_key(self, role: str) -> str:
        body = f"Action=AssumeRole&Version=2011-06-15&RoleSessionName=standin&RoleArn={role}".encode()
        headers = {"Authorization": f"{ALGORITHM} Credential=testing/20260101/us-east-1/sts/aws4_request, {REST}"}
        request = urllib.request.Request(self.emulator, body, {"Content-Type": FORM, **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = re.search(r"<AccessKeyId>(\w+)<", answer.read().decode())
        assert found is not None
        return found[1]

    # -- everything else -----------------------------------------------------------------------------------------

    def passed_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """The emulator's answer. Raises Refused when the credentials have ended."""
        by = signer(headers)
        key = self.issued.get(by)
        self.keys_of_calls.append(by)
        if key is not None and key.ends < time.time():
            self.refused.append(f"{method} {path}")
            raise Refused("ExpiredToken", "The security token included in the request is expired")
        time.sleep(self.delay)
        if key is not None:
            headers = {name: value.replace(by, key.upstream) for name, value in headers.items()}
            headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-security-token"}
        request = urllib.request.Request(self.emulator + path, body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()


ALGORITHM = "AWS4-HMAC-SHA256"
REST = "SignedHeaders=host, Signature=0"
FORM = "application/x-www-form-urlencoded"


def signer(headers: dict[str, str]) -> str:
    """The access key that signed a request, "" when none did."""
    found = re.search(r"Credential=([^/]+)/", headers.get("Authorization", ""))
    return found[1] if found else ""


@contextmanager
def serving(server: StsServer) -> Iterator[StsServer]:
    """The server, reachable at its ``url`` within this block."""

    class Handler(QuietHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = dict(self.headers.items())
            params = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
            status, sent = 200, {"Content-Type": "text/xml"}
            try:
                if params.get("Action") in ("GetSessionToken", "AssumeRole", "AssumeRoleWithWebIdentity"):
                    data = server.sts(params, signer(headers)).encode()
                else:
                    status, sent, data = server.passed_on(self.command, self.path, headers, body)
            except Refused as refused:
                status = refused.status
                error = f"<Error><Type>Sender</Type><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
                data = f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>".encode()
            self.send_response(status)
            for name, value in sent.items():
                if name.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_HEAD = _answer

    with listening(Handler) as server.url:
        yield server
