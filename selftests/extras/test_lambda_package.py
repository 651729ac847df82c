"""The download and the scan of deployment packages, from a real HTTP server on loopback."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import ssl
import stat
import tempfile
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest

from fixtures import lambda_package
from fixtures.errors import ApiError
from fixtures.lambda_package import PackageError, Scan, scan
from fixtures.secrets import Hit, Limits
from selftests.standins.certificates import self_signed

SIGNATURE = "X-Amz-Signature=5ecre75ignature"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzEXAMPLE"
BAD = f'import os\n\nAWS_SECRET_ACCESS_KEY = "{SECRET}"\n'
GOOD = "import os\n\nprint(os.environ['STAGE'])\n"
PLENTY = 10**9
LIMITS = Limits()

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers GETs by path, and keeps the headers of each request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append({name.lower(): value for name, value in self.headers.items()})
                outer.answers[self.path.partition("?")[0]](self)
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str = "/package") -> str:
        """A URL as signed as those of Lambda."""
        return f"http://127.0.0.1:{self.http.server_address[1]}{path}?{SIGNATURE}"

    def gives(self, body: bytes, path: str = "/package", **options: Any) -> str:
        """Serve a body; gives its URL."""
        self.answers[path] = answer(body, **options)
        return self.url(path)


def answer(
    body: bytes, *, status: int = 200, stated: int | None = None, chunked: bool = False, **headers: str
) -> Answer:
    """An answer; ``stated`` is a Content-Length that does not hold."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(len(body) if stated is None else stated))
        handler.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may have had enough
            handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)

    return give


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, reached without proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of temporary files and the only one written to, empty after every test."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    monkeypatch.chdir(directory)
    yield directory
    assert list(tmp_path.rglob("*")) == [directory]


def packed(files: dict[str, str | bytes] | list[tuple[zipfile.ZipInfo | str, str | bytes]]) -> bytes:
    """A zip archive of these files."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return memory.getvalue()


def scanned(url: str, limits: Limits = LIMITS, **more: Any) -> Scan:
    return scan(url, limits, **{"max_bytes": PLENTY, "timeout": 5, **more})


def refused(url: str, **more: Any) -> str:
    """The text of the error, in which the signed URL does not stand, nor in what it was made from."""
    with pytest.raises(PackageError) as raised:
        scanned(url, region="eu-west-1", **more)
    error: BaseException | None = raised.value
    assert error is not None
    assert SIGNATURE not in repr(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return str(error)


def test_package_without_secrets(server: Server) -> None:
    found = scanned(server.gives(packed({"index.py": GOOD, "lib/a.py": GOOD, "empty/": "", "none.py": ""})))
    assert found == Scan(files=3)


def test_package_with_secrets(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found = scanned(server.gives(packed({"good.py": GOOD, "src/index.py": BAD})))
    assert [(one.file, one.hit.line) for one in found.found] == [("src/index.py", 3)]
    assert (found.total, found.files) == (1, 2)
    assert str(found) == f"1 hits in 2 files: src/index.py:3 {found.found[0].hit.kind}"
    assert SECRET not in repr(found)
    assert SIGNATURE not in caplog.text


def test_ten_hits_are_shown(server: Server) -> None:
    found = scanned(server.gives(packed({f"{number:02}.py": BAD for number in range(12)})))
    assert (len(found.found), found.total) == (10, 12)
    assert str(found).startswith("12 hits in 12 files: 00.py:3 ")
    assert str(found).endswith(" and 2 more")


def test_request_carries_no_credentials(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    scanned(server.gives(packed({"index.py": GOOD})))
    (headers,) = server.requests
    assert headers.keys() == {"host", "user-agent", "accept-encoding", "connection"}
    assert "testing" not in str(headers)
    assert "session-token" not in str(headers)


def test_chunked_answer(server: Server) -> None:
    assert scanned(server.gives(packed({"index.py": BAD}), chunked=True)).total == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_http_error(server: Server, status: int) -> None:
    assert refused(server.gives(b"<Error>expired</Error>", status=status)) == (
        f"lambda:GetFunction failed in eu-west-1: PackageNotRead: the package could not be downloaded (HTTP {status})"
    )


def test_unreachable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    text = refused(f"http://127.0.0.1:{port}/package?{SIGNATURE}")
    assert "could not be downloaded (ConnectionRefusedError: Connection refused)" in text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("file:///etc/passwd?", "neither behind http nor https"),
        ("ftp://127.0.0.1/package?", "neither behind http nor https"),
        ("s3://?", "neither behind http nor https"),
        ("http://127.0.0.1:x/?", "could not be downloaded"),
        ("http://127.0.0.1/a b?", "could not be downloaded (InvalidURL)"),
        ("", "neither behind http nor https"),
    ],
)
def test_strange_locations(url: str, text: str) -> None:
    assert text in refused(url + SIGNATURE)


def test_redirects(server: Server, tmp_path: Path) -> None:
    server.gives(packed({"index.py": BAD}))
    assert scanned(server.gives(b"", "/moved", status=307, Location=server.url())).total == 1
    other = "https" + server.url().removeprefix("http")
    assert "leads to another scheme" in refused(server.gives(b"", "/scheme", status=302, Location=other))
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        refused(server.gives(b"", "/away", status=302, Location=target))
    assert "HTTP 302" in refused(server.gives(b"", "/loop", status=302, Location=server.url("/loop")))


def test_timeout(server: Server) -> None:
    release = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        release.wait(10)

    server.answers["/package"] = silent
    assert "could not be downloaded (TimeoutError" in refused(server.url(), timeout=0.2)
    release.set()


def test_trickle(server: Server) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(100):
            try:
                handler.wfile.write(b"x")
            except ConnectionError:
                return
            time.sleep(0.05)

    server.answers["/package"] = trickle
    assert "could not be downloaded (TimeoutError" in refused(server.url(), timeout=0.3), "not: it broke off"


def test_broken_off(server: Server) -> None:
    body = packed({"index.py": GOOD})
    assert f"broke off after {len(body)} of {len(body) + 5} bytes" in refused(
        server.gives(body, stated=len(body) + 5), timeout=1
    )


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(server: Server, chunked: bool) -> None:
    body = packed({"index.py": os.urandom(200_000)})
    assert scanned(server.gives(body, chunked=chunked), max_bytes=len(body)).files == 1
    found = scanned(server.gives(body, chunked=chunked), max_bytes=1000)
    assert 1000 < found.too_large <= len(body)
    assert chunked or found == Scan(too_large=len(body))


@pytest.mark.parametrize("body", [b"", b"no zip", b"<html></html>" * 1000, b"PK\x03\x04" + b"\0" * 100])
def test_no_zip(server: Server, body: bytes) -> None:
    assert "the package is not a zip archive" in refused(server.gives(body))


def test_damaged_archives(server: Server) -> None:
    body = packed({"a.py": GOOD, "b.bin": os.urandom(3000)})
    assert "not a zip archive" in refused(server.gives(body[: len(body) // 2]))
    middle = body.index(b"b.bin") + 1000
    damaged = body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]
    assert "the package is damaged at b.bin (" in refused(server.gives(damaged))

    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a.py", GOOD)
    encrypted = bytearray(stored.getvalue())
    encrypted[encrypted.index(b"PK\x03\x04") + 6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert "damaged at a.py (RuntimeError)" in refused(server.gives(bytes(encrypted)))
    unknown = bytearray(stored.getvalue())
    unknown[unknown.index(b"PK\x03\x04") + 8] = 97
    unknown[unknown.index(b"PK\x01\x02") + 10] = 97
    assert "damaged at a.py (NotImplementedError)" in refused(server.gives(bytes(unknown)))


def test_understated_size_hides_nothing(server: Server) -> None:
    body = bytearray(packed({"a.py": GOOD + "#" * 1000 + "\n" + BAD}))
    entry = body.index(b"PK\x01\x02") + 24
    body[entry : entry + 4] = len(GOOD).to_bytes(4, "little")
    assert "damaged at a.py" in refused(server.gives(bytes(body)))


def test_zip_bomb(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed({"index.py": BAD, "a": b"\0" * 60_000, "b": b"\0" * 60_000})
    assert len(bomb) < 1000
    read: list[str] = []
    monkeypatch.setattr(lambda_package, "UNPACKED_LIMIT", 100_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda self, member: read.append(member.filename))
    assert f"unpacks to {120_000 + len(BAD)} bytes, more than 100000: not scanned" in refused(server.gives(bomb))
    assert not read


def test_members_that_lead_astray(server: Server) -> None:
    link = zipfile.ZipInfo("link")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    absolute = zipfile.ZipInfo("/etc/y\n\x1b[0m")
    found = scanned(
        server.gives(packed([("../../etc/x", BAD), (absolute, BAD), (link, BAD), ("index.py", GOOD), ("same", GOOD)]))
    )
    assert [one.file for one in found.found] == ["../../etc/x", "/etc/y??[0m"]
    assert found.files == 4


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_the_same_name_are_all_read(server: Server) -> None:
    assert scanned(server.gives(packed([("index.py", BAD), ("index.py", GOOD)]))).total == 1


@pytest.mark.parametrize(
    ("patterns", "hits"),
    [
        ((), 2),
        (("*.py",), 0),
        (("lib/*",), 1),
        (("b.py",), 1),
        (("a.py", "b.py"), 0),
        (("A.PY", "lib", "*.js"), 2),
    ],
)
def test_ignored_files(server: Server, patterns: tuple[str, ...], hits: int) -> None:
    url = server.gives(packed({"a.py": BAD, "lib/sub/b.py": BAD}))
    assert scanned(url, ignore_files=patterns).total == hits


def test_limits_reach_the_scanner(server: Server) -> None:
    url = server.gives(packed({"a.py": BAD}))
    assert scanned(url, Limits(ignore_patterns=("AWS_SECRET_ACCESS_KEY",))).total == 0


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_long_lines(server: Server, newline: bytes) -> None:
    line = f'; AWS_SECRET_ACCESS_KEY = "{SECRET}"'.encode()
    # the secret lies over the edge of what is read at once
    body = b" " * (lambda_package.LONGEST_LINE - 40) + line + b" " * 5000 + newline
    assert scanned(server.gives(packed({"min.js": body}))).found[-1].hit.line == 2
    # a line that just fits, and the number of the next one
    fitting = b"." * (lambda_package.LONGEST_LINE - 1) + b"\n"
    found = scanned(server.gives(packed({"min.js": fitting + line + newline})))
    assert [one.hit.line for one in found.found] == [2]


def test_package_is_never_whole_in_memory(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_package, "in_file", lambda lines, *_: iter([] if sum(map(len, lines)) else ["nothing"]))
    url = server.gives(packed({"blob.bin": os.urandom(20_000_000)}))
    tracemalloc.start()
    try:
        assert scanned(url) == Scan(files=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("error", [ApiError("secrets", "scan", "X", "the secret scanner failed"), KeyboardInterrupt()])
def test_temporary_file_is_private_and_gone_whatever_happens(
    server: Server, temporary: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    opened: list[IO[bytes]] = []
    original = tempfile.TemporaryFile

    def remember(*args: Any, **more: Any) -> Any:
        opened.append(original(*args, **more))
        return opened[-1]

    def fail(*_: Any) -> Iterator[Hit]:
        (file,) = opened
        status = os.fstat(file.fileno())
        assert status.st_size > 0
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_nlink == 0
        assert not list(temporary.iterdir())
        raise error

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    monkeypatch.setattr(lambda_package, "in_file", fail)
    with pytest.raises(type(error)):
        scanned(server.gives(packed({"a.py": BAD})))
    assert opened[0].closed


def test_full_disk(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    text = refused(server.gives(packed({"a.py": BAD})))
    assert text.endswith("could not be downloaded (OSError: No space left on device)")


def test_certificates_are_verified(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    pem = self_signed(tmp_path_factory.mktemp("tls"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    url = "https" + server.gives(packed({"a.py": BAD})).removeprefix("http")
    assert "could not be downloaded (SSLCertVerificationError" in refused(url)
    assert not server.requests
    monkeypatch.setenv("AWS_CA_BUNDLE", str(pem))
    assert scanned(url).total == 1
    assert "could not be downloaded (SSLCertVerificationError" in refused(url.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nonexistent")
    assert "could not be downloaded (FileNotFoundError" in refused(url)
