"""Faults in the place of an emulator's answers: throttled, 500, the connection reset, or late; as AWS says them."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from plugins.demo.emulator import Application, Start

KINDS = ("throttle", "500", "reset", "late")
LATE_SECONDS = 5.0
JSON = "application/x-amz-json-1.1"


class Faulty:
    """A WSGI application in front of another one. ``rate`` of its answers is a fault, of kinds drawn at random."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner
        self.lock = threading.Lock()
        self.set(0, ())

    def set(self, rate: float, kinds: Iterable[str], seed: int = 1) -> None:
        """Have these faults from now on."""
        with self.lock:
            self.rate, self.kinds, self.chance = rate, list(kinds), random.Random(seed)
            self.made: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start: Start, service: str = "", form: bool = False) -> Iterable[bytes]:
        """``service``: as it is named in the signature; ``form``: the request is one of the query protocol."""
        with self.lock:
            kind = self.chance.choice(self.kinds) if self.kinds and self.chance.random() < self.rate else ""
            self.made[kind] += bool(kind)
        if kind == "reset":
            connection = environ["werkzeug.socket"]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(connection.detach())  # close() would wait for the handler's files
            raise ConnectionResetError
        if kind in WORDS:
            status, body = said(kind, service, form)
            content = JSON if body.startswith("{") else "text/xml"
            start(status, [("Content-Type", content), ("Content-Length", str(len(body)))])
            return [body.encode()]
        if kind == "late":
            time.sleep(LATE_SECONDS)
        return self.inner(environ, start)


WORDS = {
    "throttle": {
        "": ("400 Bad Request", "Throttling"), "ec2": ("400 Bad Request", "RequestLimitExceeded"),
        "s3": ("503 Slow Down", "SlowDown"),
    },
    "500": {
        "": ("500 Error", "InternalFailure"), "ec2": ("500 Error", "InternalError"), "s3": ("500 Error", "InternalError"),
    },
}  # fmt: skip
"""Kind -> service, "" for those without words of their own -> status and code."""


def said(kind: str, service: str, form: bool) -> tuple[str, str]:
    """Status and body of an error, in the words and the protocol of its service."""
    status, code = WORDS[kind].get(service) or WORDS[kind][""]
    return status, _error(code, service, form)


def _error(code: str, service: str, form: bool) -> str:
    form = form or service in ("cloudfront", "route53")  # also XML
    if service == "s3":
        return f"<Error><Code>{code}</Code><Message>told to</Message></Error>"
    if service == "ec2":
        return f"<Response><Errors><Error><Code>{code}</Code><Message>told to</Message></Error></Errors></Response>"
    if form:
        return f"<ErrorResponse><Error><Code>{code}</Code><Message>told to</Message></Error></ErrorResponse>"
    return f'{{"__type":"{"ThrottlingException" if code == "Throttling" else code}","message":"told to"}}'
