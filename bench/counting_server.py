"""moto's server behind a counter: how many requests, how many of them distinct, with latency added to each.

Run as a process: ``python -m bench.counting_server PORT LATENCY_MS``. ``GET /__count__`` answers with the counts as
JSON, ``POST /__count__`` sets them to zero; ``POST /__faults__?rate=0.2&kinds=throttle,500`` makes it faulty
(``bench.faulty``).
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from bench.faulty import Faulty
from plugins.demo.answers import SCOPE
from plugins.demo.emulator import Start, application

NAMED = 3
VOLATILE = {"ClientToken", "clientToken", "ClientRequestToken"}


@dataclass
class Place:
    """The requests of one account to a service in a region."""

    now: int = 0
    peak: int = 0
    """The most in flight at a time."""
    times: list[float] = field(default_factory=list)

    def most_per_second(self) -> int:
        """The most that came within any second."""
        times, first, most = sorted(self.times), 0, 0
        for last, time_of_last in enumerate(times):
            while times[first] <= time_of_last - 1:
                first += 1
            most = max(most, last - first + 1)
        return most


class Counting:
    """A WSGI application in front of a faulty one. ``account_of`` gives the account of an access key."""

    def __init__(self, inner: Faulty, latency: float, account_of: Callable[[str], str]) -> None:
        self.inner = inner
        self.latency = latency
        self.account_of = account_of
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self.seen: Counter[tuple[str, str]] = Counter()
        self.answered: set[tuple[str, str]] = set()
        self.repeated: Counter[str] = Counter()
        self.services: Counter[str] = Counter()
        self.places: defaultdict[tuple[str, str, str], Place] = defaultdict(Place)
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
            "faults": dict(self.inner.made),
            "most_in_flight": _largest({place: one.peak for place, one in self.places.items()}),
            "most_per_second": _largest({place: one.most_per_second() for place, one in self.places.items()}),
        }

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] in ("/__count__", "/__faults__"):
            return self.told(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        question, place, service = self.count(environ, body)
        time.sleep(self.latency)

        def noting(status: str, *others: Any) -> Any:
            if status.startswith("2"):
                self.answered.add(question)
            return start(status, *others)

        try:
            return self.inner(environ, noting, service, body.startswith(b"Action=") or b"&Action=" in body)
        finally:
            with self.lock:
                self.now -= 1
                place.now -= 1

    def told(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """What the benchmarks say to the server itself."""
        if environ["PATH_INFO"] == "/__faults__":
            wanted = dict(parse_qsl(environ["QUERY_STRING"]))
            kinds = [kind for kind in wanted.get("kinds", "").split(",") if kind]
            self.inner.set(float(wanted.get("rate", 0)), kinds, int(wanted.get("seed", 1)))
        elif environ["REQUEST_METHOD"] == "POST":
            self.reset()
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(self.stats()).encode()]

    def count(self, environ: dict[str, Any], body: bytes) -> tuple[tuple[str, str], Place, str]:
        """Count a request and give what it asks, its place, and its service.

        What the same caller asks again though it was answered is a duplicate.
        Asking again after an error is none: a retry, or a report that was not ready yet.
        """
        found = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
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
            place = self.places[self.account_of(key), region, service]
            place.now += 1
            place.peak = max(place.peak, place.now)
            place.times.append(time.monotonic())
        return asked, place, service


def _largest(figures: dict[tuple[str, str, str], int]) -> dict[str, int]:
    """The three places with the largest figures."""
    first = sorted(figures.items(), key=lambda one: -one[1])[:NAMED]
    return {" ".join(place): figure for place, figure in first}


def main(port: int, latency_ms: float) -> None:
    """Serve until killed."""
    from moto.iam.models import get_account_id_from
    from werkzeug.serving import run_simple

    counting = Counting(Faulty(application()), latency_ms / 1000, get_account_id_from)
    run_simple("127.0.0.1", port, counting, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
