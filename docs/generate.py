"""Writes what follows from the code: docs/checks.md, docs/options.md, examples/config.toml, the policy in permissions/.

python -m docs.generate                  write the files
python -m docs.generate --check          say which are out of date, exit 1
python -m docs.generate --calls FOLDER   take the calls of the checks from the self-tests that wrote FOLDER first
                                         (AUDITEST_CALLS=FOLDER pytest selftests); with --check, compare them
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from fixtures.kinds import every_kind
from permissions.policy import ADDITIONAL, CALLS, HERE, actions_of, additional_policy, calls, is_managed
from plugins.catalog.checks import Check
from plugins.options.declaration import Kind, Trait
from plugins.options.values import OPTIONS
from plugins.selection.listing import sort_key

ROOT = HERE.parent
CHECKS = ROOT / "docs" / "checks.md"
KINDS = ROOT / "fixtures" / "kinds.py"
OPTIONS_PAGE = ROOT / "docs" / "options.md"
CONFIG = ROOT / "examples" / "config.toml"


def recorded_calls(folder: Path) -> dict[str, list[str]]:
    """The calls that self-tests saw: check id -> calls. ``folder`` has one file for each of their processes."""
    found: dict[str, set[str]] = {}
    for file in folder.glob("*.json"):
        for id, made in json.loads(file.read_text()).items():
            found.setdefault(id, set()).update(made)
    return {id: sorted(made) for id, made in found.items()}


def calls_text(made: Mapping[str, Iterable[str]], checks: Mapping[str, Check]) -> str:
    """The text of calls.yaml."""
    lines = ["# The calls that each check makes, as the self-tests see them. Written by docs/generate.py."]
    order = sorted(checks.values(), key=sort_key)
    lines += [f"{check.id}: [{', '.join(sorted(made.get(check.id, ())))}]" for check in order]
    return "\n".join(lines) + "\n"


def checks_text(checks: Mapping[str, Check], made: Mapping[str, list[str]]) -> str:
    """The text of docs/checks.md."""
    by_service: dict[str, list[Check]] = {}
    for check in sorted(checks.values(), key=sort_key):
        by_service.setdefault(check.service, []).append(check)
    lines = [
        "# Checks",
        "",
        f"All {len(checks)} checks, by service. This page is written from the checks themselves by `make docs`.",
        "",
        "Permissions in *italics* are beyond the managed policies SecurityAudit and ViewOnlyAccess; they are in",
        "[permissions/auditest-additional.json](../permissions/auditest-additional.json). Every audit also calls",
        "`ec2:DescribeRegions`. Thresholds are set with `--config` ([examples/config.toml](../examples/config.toml)).",
        "",
        "| service | checks |",
        "|---|---|",
    ]
    for service in sorted(by_service):
        ids = ", ".join(f"[{check.id}](#{check.id})" for check in by_service[service])
        lines.append(f"| [{service}](#{service}) | {ids} |")
    for service in sorted(by_service):
        lines += ["", f"## {service}"]
        for check in by_service[service]:
            lines += _section(check, made.get(check.id, []))
    return "\n".join(lines) + "\n"


def _section(check: Check, made: Iterable[str]) -> list[str]:
    file = Path(check.function.__code__.co_filename).relative_to(ROOT)
    level = f" · CIS {check.number}, {check.level.lower()}" if check.level != "Extra" else ""
    permissions = ", ".join(f"{one}" if is_managed(one) else f"*{one}*" for one in actions_of(made))
    lines = [
        "",
        f"### {check.id}",
        "",
        f"{check.title}.",
        "",
        f"- severity {check.severity} · resource {check.resource_type}{level}",
        f"- code: `{check.function.__name__}` in [{file}](../{file})",
        f"- groups: {', '.join(check.groups) or 'none'}",
        f"- permissions: {permissions or 'none of its own'}",
    ]
    if check.settings:
        values = ", ".join(f"`{name} = {toml_value(value)}`" for name, value in check.settings.items())
        lines.append(f"- thresholds: {values}")
    lines.append(f"- remediation: {check.remediation}" + (f" ([source]({check.url}))" if check.url else ""))
    if check.command:
        lines += ["", "  ```", f"  {check.command}", "  ```"]
    return lines


def config_text(checks: Mapping[str, Check]) -> str:
    """The text of examples/config.toml: every threshold with its default."""
    lines = [
        "# Every threshold of every check with its default: pytest --config examples/config.toml changes nothing.",
        "# Keep the lines that you change. For one account alone: [accounts.123456789012.check14]. Written by `make docs`.",
    ]
    for check in sorted(checks.values(), key=sort_key):
        if not check.settings:
            continue
        lines += ["", f"# {check.title}", f"[{check.id}]"]
        for name, value in check.settings.items():
            lines.append(f"# {name} is not set" if value is None else f"{name} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


ENVIRONMENT = {
    "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …": "as in boto3 and the AWS CLI",
    "AWS_MAX_ATTEMPTS, AWS_RETRY_MODE": "how a throttled or failed call is repeated (default: 8, docs/load.md)",
    "BASE64_LIMIT, HEX_LIMIT": "entropy limits of the checks that look for secrets, 0.0 to 8.0, unless --config sets them",
    "NO_COLOR": "no colours; `-M text` is `mono` then",
}


def options_text() -> str:
    """The text of docs/options.md."""
    lines = [
        "# Options",
        "",
        'pytest\'s own options work as always. These come with the suite (`pytest --help` has them under "AWS audit"); each can',
        "be set in `pyproject.toml` under `[tool.pytest.ini_options]` by the name in the second column. The command line goes",
        "first. Single letters are those of the tool of 2020. This page is written from the code by `make docs`.",
        "",
        "| option | setting | meaning |",
        "|---|---|---|",
    ]
    for option in OPTIONS.values():
        value = f" {option.metavar}" if option.metavar else ""
        shown = ", ".join(f"`{name}{value}`" for name in reversed(option.names))
        setting = "" if Trait.NO_SETTING in option.traits else f"`{option.setting}` "
        repeat = " (repeatable)" if option.kind is Kind.LISTS and "repeat" not in option.help else ""
        lines.append(f"| {shown} | {setting}| {option.help.replace('|', '/')}{repeat} |")
    lines += ["", "## Environment variables", "", "| variable | meaning |", "|---|---|"]
    lines += [f"| {name} | {meaning} |" for name, meaning in ENVIRONMENT.items()]
    lines += [
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        "| 0 | nothing failed |",
        "| 1 | findings failed or could not be evaluated (`--fail-on` and `--fail-on-new` narrow it) |",
        "| 2 | interrupted |",
        "| 3 | internal error |",
        "| 4 | usage: a bad option, whitelist, configuration or recording; no or refused credentials |",
        "| 5 | nothing selected |",
    ]
    return "\n".join(lines) + "\n"


def kinds_text(module: str) -> str:
    """The text of fixtures/kinds.py, given as it is, with the index of the kinds as they are."""
    lines = [f'    "{name}": "{kind.__module__}",' for name, kind in every_kind().items()]
    before, opening, rest = module.partition("KINDS: dict[str, str] = {\n")
    return before + opening + "\n".join(lines) + "\n}" + rest.partition("\n}")[2]


def toml_value(value: object) -> str:
    """A threshold as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return f"[{', '.join(toml_value(one) for one in items)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    return "not set" if value is None else str(value)


def texts(checks: Mapping[str, Check], made: Mapping[str, list[str]]) -> dict[Path, str]:
    """File -> the text that it should have."""
    return {
        CALLS: calls_text(made, checks),
        ADDITIONAL: additional_policy(made),
        CHECKS: checks_text(checks, made),
        KINDS: kinds_text(KINDS.read_text()),
        CONFIG: config_text(checks),
        OPTIONS_PAGE: options_text(),
    }


def main(arguments: list[str]) -> int:
    """Write or compare the files; 1 when --check finds a difference."""
    from selftests.conftest import every_check

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--calls", type=Path)
    options = parser.parse_args(arguments)
    checks = every_check()
    wanted = texts(checks, recorded_calls(options.calls) if options.calls else calls())
    stale = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    for file in stale:
        if options.check:
            print(f"{file.relative_to(ROOT)} is out of date: run make docs")
        else:
            file.write_text(wanted[file])
            print(f"wrote {file.relative_to(ROOT)}")
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
