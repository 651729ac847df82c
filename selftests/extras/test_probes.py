"""fixtures/probes.py against servers on the loopback interface."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from fixtures import probes
from selftests.standins.certificates import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
STATUS_PAGE = json.dumps({"name": "kibana", "version": {"number": "7.10.2"}, "status": {}}).encode()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP answer with a body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def server(
    *answers: bytes | None, context: ssl.SSLContext | None = None, pause: float = 0.0, sent: list[float] | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives one answer after the other (None: closes without one, the last is repeated): port, requests.

    ``pause``: seconds between the single bytes of an answer, each of which is noted in ``sent``.
    """
    sent_bytes: list[float] = [] if sent is None else sent
    requests: list[bytes] = []
    left = list(answers)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = self.request
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                request = b""
                while b"\r\n\r\n" not in request:
                    chunk = connection.recv(4096)
                    request += chunk
                    if not chunk or chunk[0] == 0x16:  # a TLS handshake sent to a plain server
                        break
                requests.append(request)
                text = left.pop(0) if len(left) > 1 else left[0]
                if text is not None and pause:
                    for byte in text:
                        connection.sendall(bytes([byte]))
                        sent_bytes.append(pause)
                        time.sleep(pause)
                elif text is not None:
                    connection.sendall(text)
            except OSError:
                pass
            finally:
                connection.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running.server_address[1], requests
        running.shutdown()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path_factory.mktemp("tls")))
    return context


def get(port: int, path: str = "/", *, scheme: str = "http", timeout: float = 2, verify: bool = True) -> probes.Reply:
    """One probe of the loopback server."""
    return probes.get(f"{scheme}://127.0.0.1:{port}{path}", timeout=timeout, verify=verify)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_sends_a_get_and_nothing_else() -> None:
    with server(OK) as (port, requests):
        reply = get(port, "/_cat/indices?format=json")
    assert (reply.status, reply.outcome) == (200, "")
    assert requests == [
        f"GET /_cat/indices?format=json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: auditest\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize(
    ("given", "status", "outcome"),
    [
        (answer(b"", "401 Unauthorized"), 401, ""),
        (answer(b"", "503 Service Unavailable"), 503, ""),
        (b"SSH-2.0-OpenSSH_9.6\r\n", None, "not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x50", None, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 200, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200, ""),
        (None, None, "reset"),
    ],
)
def test_answers(given: bytes | None, status: int | None, outcome: str) -> None:
    with server(given) as (port, _):
        reply = get(port)
    assert (reply.status, reply.outcome) == (status, outcome)


@pytest.mark.parametrize(
    ("body", "tells"),
    [
        (STATUS_PAGE, True),
        (b'{"status": {"overall": {"level": "available"}}}', False),
        (b'{"version": "7.10.2"}', False),
        (b'{"version": {"number": ""}}', False),
        (b"[1]", False),
        (b'"version": {"number": "7"}', False),
        (b"<html>version.number</html>", False),
        (b"\xff\xfe", False),
        (b"[" * 60_000, False),
        (STATUS_PAGE[:-1] + b', "more": "' + b"x" * 200_000 + b'"}', True),
        (b'{"more": "' + b"x" * 200_000 + b'", "version": {"number": "7.10.2"}}', False),
    ],
)
def test_a_status_page_that_tells_its_version(body: bytes, tells: bool) -> None:
    with server(answer(body)) as (port, _):
        reply = get(port, "/api/status")
    assert (reply.status, reply.tells_version) == (200, tells)


def test_a_version_counts_only_in_a_200() -> None:
    with server(answer(STATUS_PAGE, "503 Service Unavailable")) as (port, _):
        assert not get(port).tells_version


def test_keeps_no_content() -> None:
    with server(answer(b'{"version": {"number": "7"}, "secret": "hunter2"}', "200 OK", "X-Secret: hunter2")) as (
        port,
        _,
    ):
        reply = get(port)
    assert "hunter2" not in repr(reply)


def test_nothing_listens() -> None:
    port = free_port()
    assert get(port).outcome == "refused"
    assert str(get(port)) == f"http://127.0.0.1:{port}/: refused"
    assert probes.connect("127.0.0.1", port, timeout=1).outcome == "refused"


def test_connect() -> None:
    with server(OK) as (port, requests):
        reply = probes.connect("127.0.0.1", port, timeout=1)
        assert str(reply) == f"tcp://127.0.0.1:{port}: connected"
    assert requests in ([], [b""])


def test_a_silent_server_times_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert get(silent.getsockname()[1], timeout=0.3).outcome == "timed out"
        assert get(silent.getsockname()[1], scheme="https", timeout=0.3, verify=False).outcome == "timed out"
        silent.setblocking(False)
        for _ in range(2):
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # neither of them tried again
            silent.accept()


def test_a_trickling_server_cannot_hold_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the server's: it goes on with every byte, of which a whole answer has more than the probe has time."""
    sent: list[float] = []
    monkeypatch.setattr(probes, "time", SimpleNamespace(monotonic=lambda: 0.1 * len(sent)))
    with server(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000, pause=0.005, sent=sent) as (port, _):
        assert get(port, timeout=5).outcome == "timed out"
        assert len(sent) < 5000
    sent.clear()
    with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 5000, pause=0.005, sent=sent) as (port, _):
        assert get(port, timeout=5).status == 200
        assert len(sent) < 5000


def test_tls(tls: ssl.SSLContext) -> None:
    with server(OK, context=tls) as (port, requests):
        assert get(port, scheme="https", verify=False).status == 200
        assert get(port, scheme="https").outcome == "TLS failure"
        assert len(requests) == 1, "nothing is sent to a server whose certificate is not valid"
    with server(OK) as (port, _):
        assert get(port, scheme="https", verify=False).outcome == "TLS failure"


def redirect(to: str) -> bytes:
    """A 302 to ``to``."""
    return answer(b"", "302 Found", f"Location: {to}")


def follow(port: int, max_redirects: int = 3, stop: str = "") -> probes.Reply:
    """Follow from /start."""
    return probes.get_following(
        f"http://127.0.0.1:{port}/start", timeout=2, max_redirects=max_redirects,
        stop=lambda target: bool(stop) and target.endswith(stop),
    )  # fmt: skip


def test_get_follows_no_redirect() -> None:
    with server(redirect("/elsewhere"), OK) as (port, requests):
        reply = get(port, "/start")
    assert (reply.status, reply.location, reply.is_redirect) == (302, f"http://127.0.0.1:{port}/elsewhere", True)
    assert len(requests) == 1


def test_redirects_on_the_same_host() -> None:
    with server(redirect("/start/"), redirect("/a b?x=\u00e9"), OK) as (port, requests):
        assert follow(port).status == 200
    assert [request.split(b"\r\n")[0] for request in requests] == [
        b"GET /start HTTP/1.1", b"GET /start/ HTTP/1.1", b"GET /a%20b?x=%C3%83%C2%A9 HTTP/1.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "target",
    [
        "https://pool.auth.eu-west-1.amazoncognito.com/login?state=abc",
        "https://127.0.0.1/start",
        "http://127.0.0.1:1/start",
        "http://[broken",
        "http://127.0.0.1:notaport/",
    ],
)
def test_redirects_elsewhere_are_not_followed(target: str) -> None:
    with server(redirect(target), OK) as (port, requests):
        assert follow(port).status == 302
    assert len(requests) == 1


def test_redirects_end() -> None:
    with server(redirect("/start")) as (port, requests):
        assert follow(port, max_redirects=3).is_redirect
    assert len(requests) == 4
    with server(redirect("/app/login"), OK) as (port, requests):
        assert follow(port, stop="/app/login").location.endswith("/app/login")
    assert len(requests) == 1


def test_messages_leave_out_the_query() -> None:
    assert str(probes.Reply("https://host/path?state=abc#x", status=302)) == "https://host/path: 302"


def test_addresses_in_urls() -> None:
    assert probes.endpoint("http", "203.0.113.7", 9200, "/x") == "http://203.0.113.7:9200/x"
    assert probes.endpoint("http", "2001:db8::7", 9200, "/x") == "http://[2001:db8::7]:9200/x"


def test_names_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> socket.socket:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "create_connection", nobody)
    assert probes.get("https://nowhere.invalid/", timeout=1).outcome == "name not found"
