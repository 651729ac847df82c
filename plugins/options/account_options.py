"""The options that say which accounts to audit and how to enter them, judged before AWS is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fixtures.access.mfa import CODE, SERIAL
from fixtures.access.organization import UNIT_ID
from fixtures.api.account_ids import is_account_id

if TYPE_CHECKING:
    from plugins.options.values import Options

# Source: STS API reference, AssumeRole; IAM API reference, Role.
ROLE_NAME = re.compile(r"[\w+=,.@/-]{1,576}", re.ASCII)
ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
ROLE_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


# -- what can be judged before anything is asked -----------------------------------------------------------------------


def refuse_contradictions(options: Options) -> None:
    """Raise pytest.UsageError for options about accounts that are malformed or contradict each other."""
    if options.replay is not None:
        _refuse_in_replay(options)
        return _refuse_malformed(options)
    lists = {
        "--account": options.accounts, "--accounts-file": options.accounts_file,
        "--organization": options.organization, "--all-profiles": options.all_profiles,
    }  # fmt: skip
    given = [flag for flag, value in lists.items() if value]
    if len(given) > 1:
        raise pytest.UsageError(f"{given[0]} and {given[1]} both say which accounts to audit: leave one of them out")
    _refuse_roles(options, given[0] if given else "")
    if options.excluded_accounts and (not given or options.all_profiles):
        raise pytest.UsageError(
            "--exclude-account narrows --organization, --accounts-file or --account: give one of them"
        )
    for one in options.listed_accounts:
        if one.regions and options.filter_regions and not set(one.regions) & set(options.filter_regions):
            raise pytest.UsageError(f"{one.where}: none of the account's regions is in --filter-region")
    if options.demo and (given not in ([], ["--account"]) or options.role or options.profiles or options.mfa):
        raise pytest.UsageError(
            "--demo audits its own sample organization: leave --profile, --role and what else says where to go out"
        )
    return _refuse_malformed(options)


def _refuse_malformed(options: Options) -> None:
    for flag, accounts in (
        ("--account", options.accounts), ("--trusted-account", options.trusted_accounts),
        ("--exclude-account", options.excluded_accounts),
    ):  # fmt: skip
        bad = [id for id in accounts if not is_account_id(id)]
        if bad:
            raise pytest.UsageError(f"{flag}: {bad[0]!r} is not a 12-digit account ID")
    for unit in options.organization_units:
        if not UNIT_ID.fullmatch(unit):
            raise pytest.UsageError(f"--organization-unit: {unit!r} is not the ID of a unit (ou-…-…) or root (r-…)")
    if not is_role(options.role) and options.role:
        kind = "the ARN of a role" if options.role.startswith("arn:") else "the name of a role"
        raise pytest.UsageError(f"--role: {options.role!r} is not {kind}")
    if not ROLE_SESSION_NAME.fullmatch(options.role_session_name):
        raise pytest.UsageError(
            f"--role-session-name: {options.role_session_name!r} must be 2 to 64 letters, digits or characters of _+=,.@-"
        )
    if options.external_id and not EXTERNAL_ID.fullmatch(options.external_id):
        raise pytest.UsageError("--external-id: it must be 2 to 1224 letters, digits or characters of _+=,.@:/-")
    if options.mfa_serial and not SERIAL.fullmatch(options.mfa_serial):
        raise pytest.UsageError(
            f"--mfa-serial: {options.mfa_serial!r} is not the ARN or serial number of an MFA device"
        )
    if options.mfa_token and not CODE.fullmatch(options.mfa_token):
        raise pytest.UsageError("--mfa-token: an MFA code has six digits")


def is_role(text: str) -> bool:
    """Whether a text is the ARN of a role, or may be the name of one (with its path)."""
    return (ROLE_ARN if text.startswith("arn:") else ROLE_NAME).fullmatch(text) is not None


def _refuse_in_replay(options: Options) -> None:
    live = {
        "--organization": options.organization, "--accounts-file": options.accounts_file,
        "--all-profiles": options.all_profiles, "--mfa": options.mfa or options.mfa_serial or options.mfa_token,
    }  # fmt: skip
    for flag, value in live.items():
        if value:
            raise pytest.UsageError(f"{flag} enters accounts, which --replay does not: leave one of them out")


def _refuse_roles(options: Options, given: str) -> None:
    has_arn = options.role.startswith("arn:")
    if given in ("--account", "--organization") and not options.role and not options.demo:
        raise pytest.UsageError(f"{given} needs --role: say which role to assume in the accounts (-R NAME)")
    if options.role and not has_arn and not given:
        raise pytest.UsageError("--role needs --account, or give the role's full ARN")
    if has_arn and given:
        raise pytest.UsageError(
            f"--role with a full ARN names its account already: leave {given} out, or give the role's name"
        )
    if options.all_profiles and (options.role or options.profiles):
        raise pytest.UsageError("--all-profiles takes the credentials of every profile: leave --role and --profile out")
    if (options.role or given == "--accounts-file") and len(options.profiles) > 1:
        raise pytest.UsageError("--role takes its own credentials from one --profile")
    if options.external_id and not (options.role or given == "--accounts-file"):
        raise pytest.UsageError("--external-id needs --role")
    for one in options.listed_accounts:
        if not one.role and not options.role:
            raise pytest.UsageError(f"{one.where}: the account has no role, and there is no --role")
