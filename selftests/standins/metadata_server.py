"""A stand-in for the metadata services of EC2 (version 2, with its session token) and of ECS.

Sources: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata"; ECS Developer Guide, "Task IAM
role".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from selftests.standins.listening import QuietHandler, listening

SESSION = "metadata-session"
ECS_AUTHORIZATION = "ecs-authorization"
ROLE = "instance-role"
CREDENTIALS = f"/latest/meta-data/iam/security-credentials/{ROLE}"


@dataclass
class MetadataServer:
    """Gives the credentials ``access_key`` to who asks rightly."""

    access_key: str = "testing"
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        """Status and text."""
        self.asked.append(path)
        if method == "PUT" and path == "/latest/api/token":
            return 200, SESSION
        if path == "/ecs":
            return (200, self._credentials()) if headers.get("authorization") == ECS_AUTHORIZATION else (403, "")
        if headers.get("x-aws-ec2-metadata-token") != SESSION:
            return 401, ""
        return {CREDENTIALS: (200, self._credentials()), CREDENTIALS.removesuffix(ROLE): (200, ROLE)}.get(
            path, (404, "")
        )

    def _credentials(self) -> str:
        end = datetime.now(UTC) + timedelta(hours=6)
        return json.dumps(
            {
                "Code": "Success", "AccessKeyId": self.access_key, "SecretAccessKey": "testing", "Token": "t",
                "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )  # fmt: skip


@contextmanager
def serving(server: MetadataServer) -> Iterator[MetadataServer]:
    """The server, reachable at its ``url`` within this block."""

    class Handler(QuietHandler):
        def _answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text = server.answer(self.command, self.path, headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = _answer

    with listening(Handler) as server.url:
        yield server
