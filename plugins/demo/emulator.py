"""The embedded emulator's web application: moto, with what it lacks for a sample organization."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from plugins.demo.answers import answer
from plugins.demo.endpoints import add_blocks, add_connections

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]

NOT_IMPLEMENTED = "501 Not Implemented"


def application() -> Application:
    """moto's web application for all services. What it cannot do is answered at once as what it is, not implemented."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    add_blocks()
    add_connections()
    served: Any = DomainDispatcherApplication(create_backend_app)
    return with_answers(without_server_errors(served))


def with_answers(inner: Application) -> Application:
    """``inner`` behind the answers of ``plugins.demo.answers``."""

    def outer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        own = answer(environ)
        if own is None:
            return inner(environ, start)
        start("200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(own)))])
        return [own]

    return outer


def without_server_errors(inner: Application) -> Application:
    """``inner``, with 501 in the place of the failures (500) that moto has for calls it does not know.

    Clients take a 500 for a passing fault of AWS and ask again and again, for up to a minute.
    """

    def outer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], *others: Any) -> Any:
            is_page = any(name.lower() == "content-type" and "html" in value for name, value in headers)
            return start(NOT_IMPLEMENTED if status.startswith("500") and is_page else status, headers, *others)

        try:
            return inner(environ, started)
        except Exception:  # noqa: BLE001 - a service that moto has nothing of
            start(NOT_IMPLEMENTED, [("Content-Type", "text/html"), ("Content-Length", "0")])
            return []

    return outer
