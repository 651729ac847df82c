"""A stand-in for AWS that answers what a test tells it to, also with faults, and notes who asked what and when."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message

from selftests.standins.listening import Http, QuietHandler, listening

SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")


@dataclass(frozen=True)
class Request:
    """One request: who signed it, and for which service and region."""

    method: str
    path: str
    key: str
    region: str
    service: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    """The X-Amz-Target header, which names the operation of the JSON protocols."""

    @property
    def operation(self) -> str:
        """What is asked, "" where the path says it."""
        found = re.search(r"(?:^|&)Action=(\w+)", self.body)
        return self.target.rpartition(".")[2] or (found[1] if found else "")


@dataclass(frozen=True)
class Reply:
    """What is answered. ``reset``: nothing, the connection is torn down. ``length``: what the header says, if not so."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    late: float = 0.0
    reset: bool = False
    length: int | None = None


def json_error(code: str, message: str = "told to", status: int = 400, **headers: str) -> Reply:
    """An error of the JSON protocols."""
    body = f'{{"__type":"{code}","message":"{message}"}}'.encode()
    return Reply(body, status, {"x-amzn-ErrorType": code, **headers})


def passed_on(request: Request, emulator: str) -> Reply:
    """The answer of an emulator."""
    body = request.body.encode("latin-1") or None
    asked = urllib.request.Request(emulator + request.path, body, dict(request.headers), method=request.method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return Reply(answer.read(), answer.status, _kept(answer.headers))
    except urllib.error.HTTPError as error:
        return Reply(error.read(), error.code, _kept(error.headers))


def _kept(headers: Message) -> dict[str, str]:
    dropped = ("content-length", "connection", "date", "server", "transfer-encoding")
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


THROTTLED = json_error("ThrottlingException", "Rate exceeded")
THROTTLED_XML = Reply(
    b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>", 400
)
THROTTLED_EC2 = Reply(
    b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>m</Message></Error></Errors></Response>", 503
)
THROTTLED_S3 = Reply(b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", 503)


def throttled(request: Request) -> Reply:
    """The refusal of a request that came too fast, in the words of its service."""
    if request.service in ("s3", "ec2"):
        return THROTTLED_S3 if request.service == "s3" else THROTTLED_EC2
    return THROTTLED_XML if "Action=" in request.body else THROTTLED


@dataclass
class AwsServer:
    """``answer`` decides; ``requests`` is the log."""

    answer: Callable[[Request], Reply]
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    in_flight: int = 0
    peak: int = 0
    """The most requests in flight at a time."""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()


@contextmanager
def serving(server: AwsServer) -> Iterator[AwsServer]:
    """The server, reachable at its ``url`` within this block."""

    class Handler(QuietHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
            scope = SCOPE.search(self.headers.get("Authorization", ""))
            key, region, service = scope.groups() if scope else ("", "", "")
            headers = dict(self.headers.items())
            target = headers.get("X-Amz-Target", "")
            request = Request(self.command, self.path, key, region, service, body, headers, target)
            with server.lock:
                server.requests.append(request)
                server.in_flight += 1
                server.peak = max(server.peak, server.in_flight)
            try:
                self._reply(server.answer(request))
            finally:
                with server.lock:
                    server.in_flight -= 1

        def _reply(self, reply: Reply) -> None:
            time.sleep(reply.late)
            if reply.reset:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            self.send_response_only(reply.status)
            for name, value in {"Content-Type": "application/x-amz-json-1.1", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            self.wfile.write(reply.body)
            if reply.length is not None:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = _answer

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:  # a connection that was torn down
                return

    class Forgiving(Http):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away is no matter."""

    with listening(Handler, Forgiving) as server.url:
        yield server
