"""Clients for the accounts of the sample organization: plain boto3, only ever against the emulator on this machine."""

from __future__ import annotations

import ipaddress
import json
import os
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

REGIONS = ("ap-southeast-2", "eu-west-1", "us-east-1")
HOME_REGION = "eu-west-1"
MANAGEMENT, PRODUCTION, SANDBOX = "management", "production", "sandbox"
"""The accounts by what to expect of them: exemplary, mixed, careless."""

EVERYWHERE = frozenset({MANAGEMENT, PRODUCTION, SANDBOX})

FAKE_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
FAKE_SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
FAKE_PASSWORD = "hunter2-Tr0ub4dor-9x7Qz"
"""Secrets to be found. The key pair is the one of AWS's documentation and opens nothing."""


def require_loopback(url: str) -> None:
    """Refuse any endpoint that is not on this machine: the sample organization is written, not read."""
    parts = urlsplit(url)
    assert parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback, f"{url} is not loopback"


class Emulator:
    """Where clients come from: one boto3 session that reads neither the user's AWS configuration nor profile."""

    def __init__(self, url: str) -> None:
        import boto3
        from botocore.session import Session

        require_loopback(url)
        self.url = url
        nowhere = (None, None, os.devnull, None)
        core = Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": nowhere,
                "credentials_file": nowhere,
            }
        )
        self._session = boto3.Session(botocore_session=core)
        self._lock = threading.Lock()

    def client(self, service: str, region: str, credentials: Mapping[str, str]) -> Any:
        """A client of the emulator. Users' proxy and endpoint settings do not apply to it."""
        from botocore.config import Config

        config = Config(
            proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False,
            retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=60,
        )  # fmt: skip
        with self._lock:  # botocore does not make clients thread-safely
            client = self._session.client(
                service, region_name=region, endpoint_url=self.url, config=config,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
            )  # fmt: skip
        require_loopback(client.meta.endpoint_url)
        return client


class DemoAccount:
    """One account of the organization, with clients that act in it."""

    def __init__(self, emulator: Emulator, name: str, id: str, credentials: Mapping[str, str]) -> None:
        self.emulator = emulator
        self.name = name
        self.id = id
        self._credentials = credentials
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = HOME_REGION) -> Any:
        """The client of a service in a region, made once."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self.emulator.client(service, region, self._credentials)
        return self._clients[key]

    def role_arn(self, name: str) -> str:
        """The ARN of a role of this account."""
        return f"arn:aws:iam::{self.id}:role/{name}"

    def bucket(self, name: str) -> str:
        """A bucket's full name: those of all accounts share one namespace."""
        return f"auditest-{self.name}-{name}"


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy document; statements allow unless they say otherwise."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def trusts(**principal: str) -> str:
    """A role's trust policy: ``trusts(Service="ec2.amazonaws.com")``."""
    return policy({"Principal": principal, "Action": "sts:AssumeRole"})


def tags(**values: str) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]
