"""Workers on other hosts (``--dist load --tx ssh=…``): what they need besides their task, and what they never get.

The suite must be installed on each host, the same as here; that is verified. A worker gets the command line's options,
the test paths and the text of the whitelist and the files like it, so that these need to lie on this host alone. It uses
the AWS credentials of its own host: no credentials are sent.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins import suite
from plugins.audit.run import run_of
from plugins.options.declaration import Trait
from plugins.options.options import options_of
from plugins.options.values import OPTIONS
from plugins.roles import is_controller

INPUT = "auditest_remote"
ANSWER_SECONDS = 60


def is_remote(spec: str) -> bool:
    """Whether a worker of this xdist spec gets its own idea of files: another host, or another folder."""
    return not spec.rpartition("*")[2].startswith("popen") or "//chdir=" in spec


def has_remote_workers(config: pytest.Config) -> bool:
    """Whether this process hands work to workers elsewhere."""
    return is_controller(config) and any(map(is_remote, config.option.tx))


def refuse_unequal_hosts(specs: Iterable[str], digest: str) -> None:
    """See that each other host has this suite and what it needs. Raises pytest.UsageError."""
    import execnet

    for text in dict.fromkeys(spec.rpartition("*")[2] for spec in specs if is_remote(spec)):
        spec = execnet.XSpec(text)
        if not spec.chdir:
            raise pytest.UsageError(f"--tx {text}: add //chdir=FOLDER, where the suite is on that host")
        group = execnet.Group()
        try:
            channel = group.makegateway(spec).remote_exec(suite)
            found, missing = channel.receive(ANSWER_SECONDS)
        except (execnet.HostNotFound, execnet.RemoteError, execnet.TimeoutError, EOFError, OSError) as error:
            reason = " ".join(str(error).split())[-200:] or type(error).__name__
            raise pytest.UsageError(f"--tx {text}: Python cannot be started there: {reason}") from None
        finally:
            group.terminate(1)
        if missing:
            raise pytest.UsageError(
                f"--tx {text}: its Python lacks {', '.join(missing)}: give //python=, or install them"
            )
        if found != digest:
            raise pytest.UsageError(f"--tx {text}: the suite in {spec.chdir} there is not the one here: copy it anew")


def portable(arguments: Sequence[str], paths: Iterable[str]) -> list[str]:
    """A command line without test paths, and with no argument by itself that names a file of this host.

    xdist would take such an argument for a path below what it copies to the other host, and fail.
    """
    left = list(paths)
    found: list[str] = []
    for argument in arguments:
        if argument in left:
            left.remove(argument)
        elif os.path.exists(argument.partition("::")[0] or ".") and found:
            flag = found.pop()
            if flag.startswith("--"):
                found.append(f"{flag}={argument}")
            elif argument:  # an empty -k or -m says nothing
                found.append(flag + argument)
        else:
            found.append(argument)
    return found


class Dispatch:
    """On the controller: equips workers elsewhere."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        named = config.args_source == pytest.Config.ArgsSource.ARGS
        self.paths = [_relative(config, path) for path in config.args] if named else []
        self.here = config.invocation_params
        self.named = [*config.args] if named else []
        self.message = {
            "paths": self.paths,
            "files": {
                option.setting: _content(getattr(options_of(config), name))
                for name, option in OPTIONS.items()
                if Trait.SENT in option.traits
            },
        }

    def pytest_xdist_setupnodes(self) -> None:
        """Copy nothing to the other hosts: xdist would send this host's pytest."""
        self.config.pluginmanager.getplugin("dsession").nodemanager.roots = []

    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """The command line of the next worker: one elsewhere gets nothing that is true of this host alone.

        What names a file is seen by whether the file exists, which the output directory does by now.
        """
        self.config.invocation_params = self.here
        if _is_elsewhere(gateway):
            place = {
                f"--config-file={self.config.inipath}",
                f"--rootdir={self.config.rootpath}",
            }  # from plugins.command
            args = [str(one) for one in self.here.args if str(one) not in place]
            self.config.invocation_params = replace(self.here, args=tuple(portable(args, self.named)))

    def pytest_configure_node(self, node: Any) -> None:
        """What a worker elsewhere needs."""
        if _is_elsewhere(node.gateway):
            node.workerinput[INPUT] = self.message


def _is_elsewhere(gateway: Any) -> bool:
    return is_remote(str(gateway.spec).removeprefix("execmodel=main_thread_only//"))


def _relative(config: pytest.Config, argument: str) -> str:
    path, separator, rest = argument.partition("::")
    absolute = Path(os.path.abspath(config.invocation_params.dir / path))
    if not absolute.is_relative_to(config.rootpath):
        raise pytest.UsageError(f"{argument}: with workers on other hosts, tests must be in {config.rootpath}")
    return absolute.relative_to(config.rootpath).as_posix() + separator + rest


def _content(path: Path | None) -> list[str]:
    """Name and text of the file that an option names; nothing where it is not given."""
    return [path.name, path.read_text(encoding="utf-8")] if path is not None else []


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """On a worker elsewhere, unpack what was sent, before anybody reads the options."""
    message = getattr(config, "workerinput", {}).get(INPUT)
    if message is not None:
        _unpack(config, message)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """On the controller, refuse what needs one host. Raises pytest.UsageError."""
    if has_remote_workers(config):
        local = [*options_of(config).given(Trait.ONE_HOST), *(["--rsyncdir"] if config.option.rsyncdir else [])]
        if local:
            raise pytest.UsageError(f"{local[0]} does not go with workers on other hosts: leave it out, or use -n")
        config.pluginmanager.register(Dispatch(config), "auditest-remote")


def _unpack(config: pytest.Config, message: dict[str, Any]) -> None:
    if message["paths"]:
        config.args[:] = message["paths"]
    folder = tempfile.TemporaryDirectory(prefix="auditest-")
    config.add_cleanup(folder.cleanup)
    for name, content in message["files"].items():
        if content:
            path = Path(folder.name, name, content[0])  # findings name the whitelist
            path.parent.mkdir()
            path.write_text(content[1], encoding="utf-8")
            setattr(config.option, name, str(path))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before a worker starts, see that hosts are equal, and refuse credentials that were made here with MFA.

    Raises pytest.UsageError.
    """
    config = session.config
    run = run_of(config)
    if run is None or not has_remote_workers(config) or not run.plan.kinds:
        return
    if run.entering.sources is not None and run.entering.sources.mfa.tokens:
        raise pytest.UsageError(
            "a profile asks for MFA, and its credentials are not sent to workers on other hosts: use -n, or other profiles"
        )
    refuse_unequal_hosts(config.option.tx, suite.digest_of(config.rootpath))
