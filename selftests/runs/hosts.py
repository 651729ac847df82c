"""Other hosts for the self-tests: ssh servers with keys of their own, on loopback or in a network namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from plugins.suite import ROOT, SETTINGS, SOURCES

SYSTEM = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def tool(name: str, package: str) -> str:
    """The path of a program. Skips the test without it."""
    found = shutil.which(name, path=SYSTEM)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {package})")
    return found


@contextmanager
def ssh_server(
    folder: Path, address: str, port: int, environment: Mapping[str, str] | None = None, *,
    here: Sequence[str] = (), there: Sequence[str] = (),
) -> Iterator[Path]:  # fmt: skip
    """An ssh server, with the variables that its host sets for whoever comes in; gives the client's configuration, in which
    the host is called "other". ``here`` and ``there``: what goes before the command of the client and of the server.
    """
    server, client = tool("sshd", "openssh-server"), tool("ssh", "openssh-client")
    folder.mkdir()
    for name in ("host", "key"):
        subprocess.run(
            [tool("ssh-keygen", "openssh-client"), "-qt", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    variables = " ".join(f"{name}={value}" for name, value in (environment or {}).items())
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
        f"PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin yes\n"
        + f"SetEnv {variables}\n"
        * bool(variables)
    )
    config = folder / "ssh_config"
    config.write_text(
        f"Host other\n HostName {address}\n Port {port}\n IdentityFile {folder}/key\n IdentitiesOnly yes\n"
        f" StrictHostKeyChecking no\n UserKnownHostsFile {folder}/known\n LogLevel ERROR\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it, and the packages leave it to the init system
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*there, server, "-f", folder / "sshd_config", "-D", "-e"], stderr=log)
    try:
        for _ in range(50):
            if not subprocess.run(
                [*here, client, "-F", config, "other", "true"], check=False, capture_output=True
            ).returncode:
                break
            time.sleep(0.1)
        else:
            pytest.skip(f"the ssh server does not let us in: {(folder / 'log').read_text()[-300:]}")
        yield config
    finally:
        process.terminate()
        process.wait()


def install(folder: Path) -> Path:
    """The suite, installed on another host."""
    folder.mkdir()
    for name in (*SOURCES, SETTINGS):
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, folder / name)
    return folder
