"""moto's server behind a counter: how many requests, how many of them distinct, with latency added to each.

Run as a process: ``python -m bench.counting_server PORT LATENCY_MS``. ``GET /__count__`` answers with the counts as
JSON, ``POST /__count__`` sets them to zero.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
VOLATILE = {"ClientToken", "clientToken", "ClientRequestToken"}

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


class Counting:
    """A WSGI application in front of another one."""

    def __init__(self, inner: Application, latency: float) -> None:
        self.inner = inner
        self.latency = latency
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self.seen: Counter[tuple[str, str]] = Counter()
        self.answered: set[tuple[str, str]] = set()
        self.repeated: Counter[str] = Counter()
        self.services: Counter[str] = Counter()
        self.now = self.peak = 0

    def stats(self) -> dict[str, Any]:
        """The counts."""
        return {
            "requests": sum(self.seen.values()),
            "distinct": len(self.seen),
            "peak_in_flight": self.peak,
            "services": dict(self.services.most_common()),
            "duplicates": sum(self.repeated.values()),
            "repeated": {name: count for name, count in self.repeated.most_common() if count},
        }

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/__count__":
            if environ["REQUEST_METHOD"] == "POST":
                self.reset()
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.stats()).encode()]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        question = self.count(environ, body)
        time.sleep(self.latency)

        def noting(status: str, *others: Any) -> Any:
            if status.startswith("2"):
                self.answered.add(question)
            return start(status, *others)

        try:
            return self.inner(environ, noting)
        finally:
            with self.lock:
                self.now -= 1

    def count(self, environ: dict[str, Any], body: bytes) -> tuple[str, str]:
        """Count a request and give what it asks: asked again by the same caller, though it was answered, it is a duplicate.

        Asking again after an error is none: a retry, or a report that was not ready yet.
        """
        found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        key, region, service = found.groups() if found else ("", "", "")
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or form.get("Action", "")
        name = f"{service}:{target or environ['REQUEST_METHOD'] + ' ' + environ['PATH_INFO']}"
        kept = sorted(pair for pair in form.items() if pair[0] not in VOLATILE) or body.decode("utf-8", "replace")
        question = json.dumps([key, region, name, environ["PATH_INFO"], environ.get("QUERY_STRING", ""), kept])
        asked = name, hashlib.sha256(question.encode()).hexdigest()
        with self.lock:
            self.seen[asked] += 1
            self.repeated[name] += asked in self.answered
            self.services[service] += 1
            self.now += 1
            self.peak = max(self.peak, self.now)
        return asked


def main(port: int, latency_ms: float) -> None:
    """Serve until killed."""
    from werkzeug.serving import run_simple

    from plugins.emulator import application

    run_simple("127.0.0.1", port, Counting(application(), latency_ms / 1000), threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
