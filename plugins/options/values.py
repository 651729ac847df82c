"""The options: each is declared here, and here alone (docs/extending.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fixtures.access.target import DEFAULT_ROLE_SESSION_NAME
from plugins.catalog.checks import SEVERITIES, Severity
from plugins.catalog.groups import every_group
from plugins.options.accounts_file import ListedAccount
from plugins.options.declaration import (
    Decides,
    Trait,
    choice,
    declared,
    flag,
    folder,
    number,
    path,
    paths,
    text,
    texts,
)
from plugins.outputs.formats import FORMATS


def _groups() -> Collection[str]:
    return every_group()


def _severities() -> Collection[Severity]:
    return SEVERITIES


def _formats() -> Collection[str]:
    return FORMATS


def _regions() -> Collection[str]:
    from fixtures.api.regions import known_regions

    return known_regions()


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options in use: command line first, then the configuration file. Lists are empty where nothing was said."""

    profiles: list[str] = texts(
        "--profile", metavar="NAME", repeat=True, decides=Decides.PLAN,
        help="AWS configuration profile; repeat it to audit several accounts",
    )  # fmt: skip
    region: str = text(
        "--region", metavar="NAME", decides=Decides.NOTHING, known=_regions, noun="region",
        help="region for global calls (default: the profile's, else the partition's home)",
    )  # fmt: skip
    filter_regions: list[str] = texts(
        "--filter-region", metavar="R1,R2", decides=Decides.FINDINGS, known=_regions, noun="region",
        help="audit only these regions (default: all that are enabled for the account)",
    )  # fmt: skip
    checks: list[str] = texts(
        "--check", metavar="ID,ID", decides=Decides.PLAN,
        help="run only these checks: ids, other names of checks, patterns (s3_*)",
    )  # fmt: skip
    """Names as the user gave them."""
    exclude_checks: list[str] = texts(
        "-E",
        "--exclude-check",
        metavar="ID,ID",
        decides=Decides.PLAN,
        help="run all checks but these: names as of --check",
    )
    groups: list[str] = texts(
        "--group", metavar="ID,ID", decides=Decides.PLAN, known=_groups, noun="group",
        help="run the checks of these groups; -m GROUP does the same",
    )  # fmt: skip
    services: list[str] = texts(
        "--service", metavar="S,S", decides=Decides.PLAN,
        help="run the checks of these services (s3,iam); -m SERVICE does the same",
    )  # fmt: skip
    exclude_extras: bool = flag(
        "--exclude-extras", decides=Decides.PLAN, help="leave the checks of the extras group out (old -e)"
    )
    severities: list[str] = texts(
        "--severity", metavar="S,S", decides=Decides.PLAN, each=str.lower, known=_severities, noun="severity",
        help=f"run only checks of these severities: {', '.join(SEVERITIES)}",
    )  # fmt: skip
    list_checks: bool = flag(
        "--list-checks", decides=Decides.NOTHING, help="list the checks and exit; needs no credentials (old -l)"
    )
    list_groups: bool = flag(
        "-L", "--list-groups", decides=Decides.NOTHING, help="list the groups and exit; needs no credentials"
    )
    checks_dirs: list[Path] = paths(
        "--checks-dir", metavar="DIR", decides=Decides.FINDINGS, help="also collect checks from this folder (old -x)"
    )
    formats: list[str] = texts(
        "-M", "--output-formats", metavar="F,F", decides=Decides.FINDINGS, each=str.lower,
        known=_formats, noun="format", help=f"reports to write: {', '.join(FORMATS)}",
    )  # fmt: skip
    output_directory: Path = folder(
        "--output-directory", metavar="DIR", decides=Decides.NOTHING, default=Path("reports"),
        help="where reports go (default: reports)",
    )  # fmt: skip
    output_filename: str = text(
        "--output-filename", metavar="NAME", decides=Decides.FINDINGS,
        help="reports' file name without ending (default: auditest-output-ACCOUNT-TIME)",
    )  # fmt: skip
    output_bucket: str = text(
        "--output-bucket", metavar="s3://BUCKET/PREFIX", decides=Decides.NOTHING,
        help="also upload the finished reports to this S3 bucket",
    )  # fmt: skip
    output_bucket_profile: str = text(
        "--output-bucket-profile", metavar="NAME", decides=Decides.NOTHING,
        help="profile for the upload (default: the credentials that the audit starts with)",
    )  # fmt: skip
    output_bucket_kms_key: str = text(
        "--output-bucket-kms-key", metavar="ID", decides=Decides.NOTHING,
        help="KMS key that encrypts the upload (default: as the bucket does)",
    )  # fmt: skip
    only_fails: bool = flag(
        "--only-fails", decides=Decides.FINDINGS, help="report and write only FAIL and ERROR findings (old -q)"
    )
    numbered: bool = flag(
        "--numbered", decides=Decides.FINDINGS,
        help="pad check numbers so that they sort as text, 1.01 for 1.1 (old -n)",
    )  # fmt: skip
    score: bool = flag(
        "--score", decides=Decides.NOTHING, help="show how much passes: PASS * 100 / (PASS + FAIL) (old -s)"
    )
    fail_on: Severity | None = choice(
        "--fail-on", metavar="SEVERITY", decides=Decides.NOTHING, known=_severities, noun="severity",
        help="exit 1 only when something of at least this severity fails (default: any)",
    )  # fmt: skip
    keep_credential_report: bool = flag(
        "--keep-credential-report", decides=Decides.NOTHING, traits=Trait.ONE_HOST,
        help="leave IAM's credential report in the output directory (old -k)",
    )  # fmt: skip
    no_banner: bool = flag(
        "--no-banner", decides=Decides.NOTHING, help="do not name the audited accounts at the start (old -b)"
    )
    max_items: int | None = number(
        "--max-items", metavar="N", decides=Decides.FINDINGS, low=1, default=None,
        help="look at no more than N resources per kind, account and region (old -m)",
    )  # fmt: skip
    max_calls_per_second: int = number(
        "--max-calls-per-second", metavar="N", decides=Decides.NOTHING, low=1, default=0,
        help="at most N requests a second per account, region and service",
    )  # fmt: skip
    """0 for no limit."""
    accounts: list[str] = texts(
        "-A", "--account", metavar="ID,ID", decides=Decides.PLAN, help="accounts to audit, together with --role"
    )
    accounts_file: Path | None = path(
        "--accounts-file", metavar="FILE", decides=Decides.FINDINGS, traits=Trait.SENT,
        help="accounts to audit, YAML: id, name, role, regions, tags, config",
    )  # fmt: skip
    listed_accounts: list[ListedAccount] = field(default_factory=list)
    """What the accounts file lists."""
    all_profiles: bool = flag(
        "--all-profiles", decides=Decides.PLAN, help="audit the accounts of all profiles of the AWS configuration"
    )
    organization: bool = flag(
        "--organization", decides=Decides.PLAN,
        help="audit all active accounts of the AWS Organization, with --role",
    )  # fmt: skip
    """Also where only units of it were named."""
    organization_units: list[str] = texts(
        "--organization-unit", metavar="ID,ID", repeat=True, decides=Decides.PLAN,
        help="only the accounts in this unit (ou-…) and the units below it",
    )  # fmt: skip
    excluded_accounts: list[str] = texts(
        "--exclude-account", metavar="ID,ID", repeat=True, decides=Decides.PLAN,
        help="leave these accounts out of a list of accounts",
    )  # fmt: skip
    role: str = text(
        "-R", "--role", metavar="NAME-or-ARN", decides=Decides.PLAN,
        help="role to assume in each account; a full ARN needs no --account",
    )  # fmt: skip
    external_id: str = text(
        "-I", "--external-id", metavar="ID", decides=Decides.NOTHING, help="external ID that the role asks for"
    )
    session_duration: int = number(
        "-T", "--session-duration", metavar="SECONDS", decides=Decides.NOTHING, low=900, high=43200, default=3600,
        help="lifetime of the role's credentials, 900 to 43200 (default: 3600)",
    )  # fmt: skip
    role_session_name: str = text(
        "--role-session-name", metavar="NAME", decides=Decides.NOTHING, default=DEFAULT_ROLE_SESSION_NAME,
        help=f"name of the role session (default: {DEFAULT_ROLE_SESSION_NAME})",
    )  # fmt: skip
    mfa: bool = flag(
        "--mfa", decides=Decides.NOTHING, traits=Trait.ONE_HOST,
        help="ask for the MFA device and its code before the audit starts",
    )  # fmt: skip
    mfa_serial: str = text(
        "--mfa-serial", metavar="ARN", decides=Decides.NOTHING, traits=Trait.ONE_HOST,
        help="the MFA device, instead of being asked for it",
    )  # fmt: skip
    mfa_token: str = text(
        "--mfa-token", metavar="CODE", decides=Decides.NOTHING,
        help="the MFA device's current code, instead of being asked for it",
    )  # fmt: skip
    trusted_accounts: list[str] = texts(
        "--trusted-account", metavar="ID,ID", decides=Decides.FINDINGS,
        help="accounts that may be linked to the audited ones, besides each other",
    )  # fmt: skip
    active_probes: bool = flag(
        "--active-probes", decides=Decides.FINDINGS,
        help="let checks open connections to audited endpoints (extra787, extra788)",
    )  # fmt: skip
    security_hub: bool = flag(
        "-S", "--security-hub", decides=Decides.NOTHING,
        help="import the findings into AWS Security Hub",
    )  # fmt: skip
    security_hub_only_fails: bool = flag(
        "--security-hub-only-fails", decides=Decides.NOTHING,
        help="import only failed and accepted findings, with --security-hub",
    )  # fmt: skip
    whitelist: Path | None = path(
        "--whitelist", metavar="FILE", decides=Decides.FINDINGS, traits=Trait.SENT,
        help="accepted failures, text or YAML: they become WARNING",
    )  # fmt: skip
    config: Path | None = path(
        "--config", metavar="FILE", decides=Decides.FINDINGS, traits=Trait.SENT,
        help="thresholds of checks, TOML or YAML",
    )  # fmt: skip
    baselines: list[Path] = paths(
        "--baseline", metavar="FILE", decides=Decides.NOTHING,
        help="json or jsonl report of an earlier run (or a folder) to compare with",
    )  # fmt: skip
    fail_on_new: bool = flag("--fail-on-new", decides=Decides.NOTHING, help="fail only for what the --baseline has not")
    record: Path | None = path(
        "--record", metavar="FILE", decides=Decides.NOTHING, traits=Trait.ONE_HOST,
        help="save every API answer in FILE",
    )  # fmt: skip
    replay: Path | None = path(
        "--replay", metavar="FILE", decides=Decides.PLAN,
        help="run from a saved FILE, with no credentials and no network",
    )  # fmt: skip
    demo: bool = flag(
        "--demo", decides=Decides.PLAN, traits=Trait.WHOLE_RUN | Trait.ONE_HOST,
        help="start an embedded AWS emulator with a sample organization and audit that",
    )  # fmt: skip
    shard: str = text(
        "--shard", metavar="K/N", decides=Decides.PLAN, traits=Trait.NO_SETTING,
        help="audit the K-th of N parts of the accounts, or what the CI system says (auto); python -m plugins.merge joins",
    )  # fmt: skip
    resume: bool = flag(
        "--resume", decides=Decides.NOTHING, traits=Trait.NO_SETTING,
        help="go on with the run that was killed in the same output directory: what it has finished is not audited again",
    )  # fmt: skip

    def given(self, trait: Trait) -> list[str]:
        """The flags of the options that were given and have this trait."""
        with_it = {name: one for name, one in declared(type(self)).items() if trait in one.traits}
        return [one.flag for name, one in with_it.items() if getattr(self, name) != one.default]

    def report_name(self, account: str, time: datetime, several: bool) -> str:
        """What the reports of an account are called, without ending. ``several``: the run audits more than this one."""
        from plugins.outputs.writer import report_name

        if not self.output_filename:
            return report_name(account, time)
        return f"{self.output_filename}-{account}" if several else self.output_filename


OPTIONS = declared(Options)
"""Field -> its option."""
