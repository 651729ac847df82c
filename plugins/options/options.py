"""The suite's options, their ini settings, and everything about them that can be judged before AWS is asked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.target import DEFAULT_ROLE_SESSION_NAME
from plugins.catalog.checks import SEVERITIES
from plugins.catalog.files import DATA, CatalogError
from plugins.catalog.groups import every_group, use_folders
from plugins.did_you_mean import nearest
from plugins.options.account_options import is_role, refuse_contradictions
from plugins.options.accounts_file import read_accounts
from plugins.options.values import Options
from plugins.outputs.formats import FORMATS

OPTIONS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--profile",),
        {
            "action": "append",
            "metavar": "NAME",
            "help": "AWS configuration profile; repeat it to audit several accounts",
        },
    ),
    (
        ("--region",),
        {"metavar": "NAME", "help": "region for global calls (default: the profile's, else the partition's home)"},
    ),
    (
        ("--filter-region",),
        {"metavar": "R1,R2", "help": "audit only these regions (default: all that are enabled for the account)"},
    ),
    (("--check",), {"metavar": "ID,ID", "help": "run only these checks: ids, other names of checks, patterns (s3_*)"}),
    (("-E", "--exclude-check"), {"metavar": "ID,ID", "help": "run all checks but these: names as of --check"}),
    (("--group",), {"metavar": "ID,ID", "help": "run the checks of these groups; -m GROUP does the same"}),
    (("--service",), {"metavar": "S,S", "help": "run the checks of these services (s3,iam); -m SERVICE does the same"}),
    (("--exclude-extras",), {"action": "store_true", "help": "leave the checks of the extras group out (old -e)"}),
    (("--severity",), {"metavar": "S,S", "help": f"run only checks of these severities: {', '.join(SEVERITIES)}"}),
    (("--list-checks",), {"action": "store_true", "help": "list the checks and exit; needs no credentials (old -l)"}),
    (("-L", "--list-groups"), {"action": "store_true", "help": "list the groups and exit; needs no credentials"}),
    (
        ("--checks-dir",),
        {"action": "append", "metavar": "DIR", "help": "also collect checks from this folder (old -x)"},
    ),
    (("-M", "--output-formats"), {"metavar": "F,F", "help": f"reports to write: {', '.join(FORMATS)}"}),
    (("--output-directory",), {"metavar": "DIR", "help": "where reports go (default: reports)"}),
    (
        ("--output-filename",),
        {"metavar": "NAME", "help": "reports' file name without ending (default: auditest-output-ACCOUNT-TIME)"},
    ),
    (
        ("--output-bucket",),
        {"metavar": "s3://BUCKET/PREFIX", "help": "also upload the finished reports to this S3 bucket"},
    ),
    (
        ("--output-bucket-profile",),
        {"metavar": "NAME", "help": "profile for the upload (default: the credentials that the audit starts with)"},
    ),
    (
        ("--output-bucket-kms-key",),
        {"metavar": "ID", "help": "KMS key that encrypts the upload (default: as the bucket does)"},
    ),
    (("--only-fails",), {"action": "store_true", "help": "report and write only FAIL and ERROR findings (old -q)"}),
    (
        ("--numbered",),
        {"action": "store_true", "help": "pad check numbers so that they sort as text, 1.01 for 1.1 (old -n)"},
    ),
    (("--score",), {"action": "store_true", "help": "show how much passes: PASS * 100 / (PASS + FAIL) (old -s)"}),
    (
        ("--fail-on",),
        {"metavar": "SEVERITY", "help": "exit 1 only when something of at least this severity fails (default: any)"},
    ),
    (
        ("--keep-credential-report",),
        {"action": "store_true", "help": "leave IAM's credential report in the output directory (old -k)"},
    ),
    (("--no-banner",), {"action": "store_true", "help": "do not name the audited accounts at the start (old -b)"}),
    (
        ("--max-items",),
        {"type": int, "metavar": "N", "help": "look at no more than N resources per kind, account and region (old -m)"},
    ),
    (
        ("--max-calls-per-second",),
        {"type": int, "metavar": "N", "help": "at most N requests a second per account, region and service"},
    ),
    (("-A", "--account"), {"metavar": "ID,ID", "help": "accounts to audit, together with --role"}),
    (
        ("--accounts-file",),
        {"metavar": "FILE", "help": "accounts to audit, YAML: id, name, role, regions, tags, config"},
    ),
    (
        ("--all-profiles",),
        {"action": "store_true", "help": "audit the accounts of all profiles of the AWS configuration"},
    ),
    (
        ("--organization",),
        {"action": "store_true", "help": "audit all active accounts of the AWS Organization, with --role"},
    ),
    (
        ("--organization-unit",),
        {
            "action": "append",
            "metavar": "ID,ID",
            "help": "only the accounts in this unit (ou-…) and the units below it",
        },
    ),
    (
        ("--exclude-account",),
        {"action": "append", "metavar": "ID,ID", "help": "leave these accounts out of a list of accounts"},
    ),
    (
        ("-R", "--role"),
        {"metavar": "NAME-or-ARN", "help": "role to assume in each account; a full ARN needs no --account"},
    ),
    (("-I", "--external-id"), {"metavar": "ID", "help": "external ID that the role asks for"}),
    (
        ("-T", "--session-duration"),
        {"type": int, "metavar": "SECONDS", "help": "lifetime of the role's credentials, 900 to 43200 (default: 3600)"},
    ),
    (
        ("--role-session-name",),
        {"metavar": "NAME", "help": f"name of the role session (default: {DEFAULT_ROLE_SESSION_NAME})"},
    ),
    (("--mfa",), {"action": "store_true", "help": "ask for the MFA device and its code before the audit starts"}),
    (("--mfa-serial",), {"metavar": "ARN", "help": "the MFA device, instead of being asked for it"}),
    (("--mfa-token",), {"metavar": "CODE", "help": "the MFA device's current code, instead of being asked for it"}),
    (
        ("--trusted-account",),
        {"metavar": "ID,ID", "help": "accounts that may be linked to the audited ones, besides each other"},
    ),
    (
        ("--active-probes",),
        {"action": "store_true", "help": "let checks open connections to audited endpoints (extra787, extra788)"},
    ),
    (("-S", "--security-hub"), {"action": "store_true", "help": "import the findings into AWS Security Hub"}),
    (
        ("--security-hub-only-fails",),
        {"action": "store_true", "help": "import only failed and accepted findings, with --security-hub"},
    ),
    (("--whitelist",), {"metavar": "FILE", "help": "accepted failures, text or YAML: they become WARNING"}),
    (("--config",), {"metavar": "FILE", "help": "thresholds of checks, TOML or YAML"}),
    (
        ("--baseline",),
        {
            "action": "append",
            "metavar": "FILE",
            "help": "json or jsonl report of an earlier run (or a folder) to compare with",
        },
    ),
    (("--fail-on-new",), {"action": "store_true", "help": "fail only for what the --baseline has not"}),
    (("--record",), {"metavar": "FILE", "help": "save every API answer in FILE"}),
    (("--replay",), {"metavar": "FILE", "help": "run from a saved FILE, with no credentials and no network"}),
    (
        ("--demo",),
        {"action": "store_true", "help": "start an embedded AWS emulator with a sample organization and audit that"},
    ),
]


def ini_name(names: tuple[str, ...]) -> str:
    """The name of an option in the configuration file."""
    return names[-1].lstrip("-").replace("-", "_")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every option, and a setting of the same name in the configuration file."""
    group = parser.getgroup("auditest", "AWS audit")
    for names, details in OPTIONS:
        dest = ini_name(names)
        group._addoption(*names, dest=dest, default=None, **details)  # addoption refuses capital letters
        if details.get("action") == "store_true":
            parser.addini(dest, details["help"], type="bool", default=False)
        else:
            parser.addini(dest, details["help"], type="string", default="")


def read(config: pytest.Config) -> Options:
    """The validated options. Raises pytest.UsageError with one line that says what to do."""

    def value(name: str) -> Any:
        given = config.getoption(name)
        return config.getini(name) or None if given is None or given is False or given == [] else given

    def items(name: str) -> list[str]:
        given = value(name)
        texts = given if isinstance(given, list) else [given] if given else []
        return [part.strip() for text in texts for part in str(text).split(",") if part.strip()]

    def number(name: str, low: int, high: int | None, default: int | None) -> int | None:
        given = value(name)
        if given is None:
            return default
        try:
            found = int(given)
        except ValueError:
            raise pytest.UsageError(f"{_flag(name)}: {given!r} is not a whole number") from None
        if found < low or (high is not None and found > high):
            limits = f"between {low} and {high}" if high is not None else f"at least {low}"
            raise pytest.UsageError(f"{_flag(name)}: {found} is out of range, it must be {limits}")
        return found

    listing = Path(value("accounts_file")) if value("accounts_file") else None
    options = Options(
        profiles=items("profile"),
        region=value("region") or "",
        filter_regions=items("filter_region"),
        checks=items("check"),
        exclude_checks=items("exclude_check"),
        groups=items("group"),
        services=items("service"),
        exclude_extras=bool(value("exclude_extras")),
        severities=[severity.lower() for severity in items("severity")],
        list_checks=bool(value("list_checks")),
        list_groups=bool(value("list_groups")),
        checks_dirs=[Path(folder) for folder in items("checks_dir")],
        formats=[name.lower() for name in items("output_formats")],
        output_directory=Path(value("output_directory") or config.rootpath / "reports"),
        output_filename=value("output_filename") or "",
        output_bucket=value("output_bucket") or "",
        output_bucket_profile=value("output_bucket_profile") or "",
        output_bucket_kms_key=value("output_bucket_kms_key") or "",
        only_fails=bool(value("only_fails")),
        numbered=bool(value("numbered")),
        score=bool(value("score")),
        fail_on=(value("fail_on") or "").lower() or None,  # type: ignore[arg-type] # judged below
        keep_credential_report=bool(value("keep_credential_report")),
        no_banner=bool(value("no_banner")),
        max_items=number("max_items", 1, None, None),
        max_calls_per_second=number("max_calls_per_second", 1, None, None) or 0,
        accounts=items("account"),
        accounts_file=listing,
        listed_accounts=read_accounts(listing, is_role) if listing else [],
        all_profiles=bool(value("all_profiles")),
        organization=bool(value("organization") or items("organization_unit")),
        organization_units=items("organization_unit"),
        excluded_accounts=items("exclude_account"),
        role=value("role") or "",
        external_id=value("external_id") or "",
        session_duration=number("session_duration", 900, 43200, 3600) or 3600,
        role_session_name=value("role_session_name") or DEFAULT_ROLE_SESSION_NAME,
        mfa=bool(value("mfa")),
        mfa_serial=value("mfa_serial") or "",
        mfa_token=value("mfa_token") or "",
        trusted_accounts=items("trusted_account"),
        active_probes=bool(value("active_probes")),
        security_hub=bool(value("security_hub")),
        security_hub_only_fails=bool(value("security_hub_only_fails")),
        whitelist=Path(value("whitelist")) if value("whitelist") else None,
        config=Path(value("config")) if value("config") else None,
        baselines=[Path(file) for file in items("baseline")],
        fail_on_new=bool(value("fail_on_new")),
        record=Path(value("record")) if value("record") else None,
        replay=Path(value("replay")) if value("replay") else None,
        demo=bool(value("demo")),
    )
    _use_own_groups(config, options.checks_dirs)
    _refuse_unknown("format", options.formats, FORMATS, "--output-formats")
    _refuse_unknown("group", options.groups, every_group() if options.groups else (), "--group")
    _refuse_unknown("severity", options.severities, SEVERITIES, "--severity")
    _refuse_unknown("severity", filter(None, [options.fail_on]), SEVERITIES, "--fail-on")
    if options.filter_regions or options.region:
        from fixtures.api.regions import known_regions

        _refuse_unknown(
            "region", [*options.filter_regions, *filter(None, [options.region])], known_regions(), "--filter-region"
        )
    _refuse_contradictions(options)
    return options


def _use_own_groups(config: pytest.Config, checks_dirs: Iterable[Path]) -> None:
    """Read the groups of the folders that the user's own checks are in."""
    folders = dict.fromkeys(folder.resolve() for folder in (*checks_dirs, *map(Path, config.args)) if folder.is_dir())
    folders.pop(DATA, None)
    try:
        use_folders(folders)
    except CatalogError as error:
        raise pytest.UsageError(str(error)) from None


def _refuse_contradictions(options: Options) -> None:
    refuse_contradictions(options)
    if options.record and options.replay:
        raise pytest.UsageError("--record and --replay exclude each other")
    if options.active_probes and options.replay:
        raise pytest.UsageError("--active-probes opens connections, which --replay never does: leave one of them out")
    if options.security_hub and options.replay:
        raise pytest.UsageError("--security-hub imports into a live account, which --replay has none of")
    if options.security_hub_only_fails and not options.security_hub:
        raise pytest.UsageError("--security-hub-only-fails needs --security-hub")
    if options.demo and options.replay:
        raise pytest.UsageError("--demo audits its own sample organization: leave --replay out")
    for folder in options.checks_dirs:
        if not folder.is_dir():
            raise pytest.UsageError(f"--checks-dir: {folder} is not a folder")


def _refuse_unknown(what: str, given: Iterable[str], known: Iterable[str], flag: str) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            listed = f" (known: {', '.join(known)})" if len(known) < 12 else ""
            raise pytest.UsageError(f"{flag}: unknown {what} {name!r}{nearest(name, known)}{listed}")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def require_output_directory(options: Options) -> None:
    """Make the output directory. Raises pytest.UsageError when it cannot be written."""
    try:
        options.output_directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--output-directory: {options.output_directory}: {error.strerror}") from None
    if not os.access(options.output_directory, os.W_OK | os.X_OK):
        raise pytest.UsageError(f"--output-directory: {options.output_directory} is not writable")


KEY = pytest.StashKey[Options]()


def options_of(config: pytest.Config) -> Options:
    """The options, read and validated once."""
    found = config.stash.get(KEY, None)
    if found is None:
        found = config.stash[KEY] = read(config)
    return found
