"""The options in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plugins.catalog.checks import Severity
from plugins.options.accounts_file import ListedAccount


@dataclass(frozen=True)
class Options:
    """The options in use: command line first, then the configuration file. Lists are empty where nothing was said."""

    profiles: list[str]
    region: str
    filter_regions: list[str]
    checks: list[str]
    """Names as the user gave them: ids, other names, patterns."""
    exclude_checks: list[str]
    groups: list[str]
    services: list[str]
    exclude_extras: bool
    severities: list[str]
    list_checks: bool
    list_groups: bool
    checks_dirs: list[Path]
    formats: list[str]
    output_directory: Path
    output_filename: str
    output_bucket: str
    output_bucket_profile: str
    output_bucket_kms_key: str
    only_fails: bool
    numbered: bool
    score: bool
    fail_on: Severity | None
    keep_credential_report: bool
    no_banner: bool
    max_items: int | None
    max_calls_per_second: int
    """0 for no limit."""
    accounts: list[str]
    accounts_file: Path | None
    listed_accounts: list[ListedAccount]
    """What the accounts file lists."""
    all_profiles: bool
    organization: bool
    organization_units: list[str]
    excluded_accounts: list[str]
    role: str
    external_id: str
    session_duration: int
    role_session_name: str
    mfa: bool
    mfa_serial: str
    mfa_token: str
    trusted_accounts: list[str]
    active_probes: bool
    security_hub: bool
    security_hub_only_fails: bool
    whitelist: Path | None
    config: Path | None
    baselines: list[Path]
    fail_on_new: bool
    record: Path | None
    replay: Path | None
    demo: bool

    def report_name(self, account: str, time: datetime, several: bool) -> str:
        """What the reports of an account are called, without ending. ``several``: the run audits more than this one."""
        from plugins.outputs.writer import report_name

        if not self.output_filename:
            return report_name(account, time)
        return f"{self.output_filename}-{account}" if several else self.output_filename
