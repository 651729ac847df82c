"""What the stand-ins have in common: an HTTP server on a free port of the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    """Answers requests, one after the other on a connection, and writes no log."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Http(ThreadingHTTPServer):
    """Takes many connections at once, and lets go of them when the test ends."""

    daemon_threads = True
    request_queue_size = 128


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], kind: type[Http] = Http) -> Iterator[str]:
    """The address at which ``handler`` answers within this block."""
    http = kind(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
