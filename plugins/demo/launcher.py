"""The embedded demo: an AWS emulator (moto) in a child process, filled with a sample organization.

``python -m plugins.demo`` starts it for experiments by hand.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from plugins.demo.account import HOME_REGION, REGIONS
from plugins.demo.identity import ROLE
from plugins.demo.world import MANAGEMENT_CREDENTIALS, fill

ROOT = Path(__file__).resolve().parents[2]

STOP_SECONDS = 5


class DemoError(RuntimeError):
    """The demo could not be started; the message says why."""


@dataclass
class Demo:
    """A running demo. ``environment`` points any AWS tool at it; every child process of this one included."""

    url: str
    accounts: list[str]
    process: subprocess.Popen[str] = field(repr=False)
    folder: tempfile.TemporaryDirectory[str] = field(repr=False)
    role: str = ROLE
    regions: list[str] = field(default_factory=lambda: list(REGIONS))

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead to the emulator, whatever profile, proxy or endpoint the user has set."""
        return environment(self.url, self.accounts[0], Path(self.folder.name), os.environ)

    def stop(self) -> None:
        """End the emulator. Idempotent; also called at the interpreter's exit."""
        atexit.unregister(self.stop)
        _end(self.process)
        self.folder.cleanup()


def environment(url: str, account: str, folder: Path, user: Mapping[str, str]) -> dict[str, str]:
    """The demo's variables over those of the ``user``. ``folder`` has the AWS configuration to use instead."""
    config = folder / "config"
    result = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": MANAGEMENT_CREDENTIALS["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": MANAGEMENT_CREDENTIALS["SecretAccessKey"],
        "AWS_SESSION_TOKEN": "",
        "AWS_SECURITY_TOKEN": "",
        "AWS_DEFAULT_REGION": HOME_REGION,
        "AWS_REGION": HOME_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "AWS_ACCOUNT_ID": account,
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        # An empty name would be looked for as a profile; the configuration file has this one.
        "AWS_PROFILE": "default",
        "AWS_DEFAULT_PROFILE": "default",
    }
    for name in user:
        if name.startswith("AWS_ENDPOINT_URL_"):
            result[name] = ""
        elif name == "AWS_CREDENTIAL_EXPIRATION":
            result[name] = "2999-12-31T00:00:00Z"  # an empty one is no date
    host = "127.0.0.1"
    for name in ("NO_PROXY", "no_proxy"):
        known = user.get(name, "")
        result[name] = known if host in known.split(",") else ",".join(filter(None, [known, host]))
    return result


def start() -> Demo:
    """Start the emulator on a free port and fill it. Raises DemoError."""
    from botocore.exceptions import BotoCoreError, ClientError

    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask")):  # moto alone has no server
        raise DemoError("the AWS emulator is not installed: pip install 'auditest[demo]'")
    with tempfile.TemporaryFile("w+") as errors:
        folder = tempfile.TemporaryDirectory(prefix="auditest-demo-")
        demo = Demo("", [], _launch(errors), folder)
        atexit.register(demo.stop)
        try:
            Path(folder.name, "config").write_text("[default]\n", encoding="utf-8")
            demo.url = _address(demo.process, errors)
            demo.accounts = list(fill(demo.url).values())
        except (BotoCoreError, ClientError) as error:
            demo.stop()
            raise DemoError(f"the sample organization could not be made: {error}") from error
        except BaseException:
            demo.stop()
            raise
        return demo


def _launch(errors: IO[str]) -> subprocess.Popen[str]:
    # The user's AWS and moto settings would change what the emulator does; MOTO_ACCOUNT_ID for one pins the account.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))}
    settings = {
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), inherited.get("PYTHONPATH", "")])),
    }
    return subprocess.Popen(
        # -P: the caller's folder may have packages of the same names
        [sys.executable, "-P", "-W", "ignore", "-c", "from plugins.demo.launcher import serve; serve()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=inherited | settings,
        start_new_session=True,  # Ctrl-C in the terminal ends the audit, which then ends the emulator
    )  # fmt: skip


def _address(process: subprocess.Popen[str], errors: IO[str]) -> str:
    """The address that the child tells once it listens."""
    import boto3  # noqa: F401  while the child starts

    assert process.stdout is not None
    port = process.stdout.readline().strip()
    process.stdout.close()
    if not port.isdigit():
        _end(process)
        errors.seek(0)
        said = errors.read().strip().splitlines()
        raise DemoError(f"the emulator did not start: {said[-1] if said else f'exit code {process.returncode}'}")
    return f"http://127.0.0.1:{port}"


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve() -> None:
    """The child: serve the emulator on a free loopback port, tell the port, end with the parent.

    The parent holds the other end of stdin: however it dies, stdin ends here.
    """
    import logging

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    gc.set_threshold(100_000, 50, 50)  # hundreds of thousands of small objects come up, for the life of a demo
    import moto.iam.models
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    from plugins.demo.emulator import application

    # moto looks a key's account up in all partitions, and fills each with AWS's 1,500 managed policies for that.
    vars(moto.iam.models)["PARTITION_NAMES"] = ["aws"]
    logging.getLogger("werkzeug").disabled = True
    server = make_server("127.0.0.1", 0, application(), threaded=True, request_handler=MotoRequestHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    print(server.port, flush=True)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    server.serve_forever()
