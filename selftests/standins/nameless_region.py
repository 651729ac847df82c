"""A plugin for runs (``-p``): the names of eu-west-1's endpoints do not resolve.

A custom endpoint has no region in its name, so that requests signed for the region are sent to a host of no name.
"""

from __future__ import annotations

from typing import Any

from botocore.httpsession import URLLib3Session

_send = URLLib3Session.send


def send(session: URLLib3Session, request: Any) -> Any:
    """Send, to a name that does not resolve when the request is signed for eu-west-1."""
    if b"/eu-west-1/" in bytes(request.headers["Authorization"]):
        request.url = "http://kms.eu-west-1.invalid/"
    return _send(session, request)


URLLib3Session.send = send
