"""Which accounts a run audits: from the options, an accounts file or an organization to the ways in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fixtures.access.entering import Doorway
from fixtures.access.mfa import Mfa, Token
from fixtures.access.organization import Organization
from fixtures.access.session import region_of
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.crew import Crew
from fixtures.api.errors import SessionError
from fixtures.api.regions import global_region_of, partition_of
from fixtures.model import Account
from fixtures.recording.accounts import replayed
from fixtures.recording.reader import Recording

if TYPE_CHECKING:
    from plugins.options.values import Options


def sources(options: Options, tokens: Mapping[str, Token] | None = None) -> Sources:
    """The credentials that a run enters accounts with. ``tokens``: made with MFA by the process that asked for it."""
    mfa = Mfa(options.mfa or bool(options.mfa_serial), options.mfa_serial, options.mfa_token)
    if tokens is not None:
        mfa.may_ask, mfa.code, mfa.tokens = False, "", dict(tokens)
    roles = [options.role, *(one.role for one in options.listed_accounts)]
    arn = next((role for role in roles if role.startswith("arn:")), "")
    partition = arn.split(":")[1] if arn else "aws"
    return Sources(options.region, partition, mfa, options.max_calls_per_second)


def targets(options: Options, door: Doorway) -> list[Target]:
    """The ways into the accounts to audit. Raises SessionError when there are none, with the reason.

    Everything that is asked of the user is asked here.
    """
    found = (
        _all_profiles() if options.all_profiles else [Target(profile=profile) for profile in options.profiles or [""]]
    )
    door.sources.ask([target.profile for target in found])
    role = Target(
        profile=found[0].profile, role=options.role, external_id=options.external_id,
        session_duration=options.session_duration, role_session_name=options.role_session_name,
    )  # fmt: skip
    if options.accounts:
        found = [replace(role, account=id) for id in dict.fromkeys(options.accounts)]
    elif options.listed_accounts:
        found = [
            replace(
                role, account=one.id, role=one.role or options.role, name=one.name, tags=one.tags,
                regions=[region for region in one.regions if region in (options.filter_regions or one.regions)],
            )
            for one in options.listed_accounts
        ]  # fmt: skip
    elif options.organization:
        found = _members(options, door, role)
    elif options.role:
        found = [role]
    if found[0].role:
        door.sources.of(role.profile)  # all enter with these credentials: without them there is no run
    return _without_excluded(found, options.excluded_accounts, door)


def replayed_accounts(options: Options, recording: Recording, crew: Crew) -> list[Account]:
    """The accounts of a recording that the options ask for. Raises SessionError when it has none of them."""
    recorded = [facts.id for facts in recording.accounts]
    wanted = [id for id in options.accounts or recorded if id not in options.excluded_accounts]
    found = replayed(recording, crew, options.filter_regions, wanted) if wanted else []
    if not found:
        raise SessionError(f"{recording.path} has none of the accounts asked for")
    return found


def _all_profiles() -> list[Target]:
    from botocore.session import Session

    profiles = Session().available_profiles
    if not profiles:
        raise SessionError("--all-profiles: there is no profile in the AWS configuration")
    return [Target(profile=profile) for profile in profiles]


def _members(options: Options, door: Doorway, role: Target) -> list[Target]:
    source = door.sources.of(role.profile)
    region = global_region_of(partition_of(region_of(source.session)))
    members = Organization(source, region, door.crew).members(options.organization_units)
    closed = [f"{one.id} {one.name} ({one.state})" for one in members if not one.is_active]
    if closed:
        door.notes.append(f"not active in the organization: {', '.join(closed)}")
    active = [replace(role, account=one.id, name=one.name, unit=one.unit) for one in members if one.is_active]
    if not active:
        raise SessionError(f"no active account in {', '.join(options.organization_units) or 'the organization'}")
    return active


def _without_excluded(found: Sequence[Target], excluded: Sequence[str], door: Doorway) -> list[Target]:
    kept = [target for target in found if target.account not in excluded]
    if not kept:
        raise SessionError("--exclude-account leaves no account to audit")
    strangers = sorted(set(excluded) - {target.account for target in found})
    if strangers:
        door.notes.append(f"--exclude-account: not among the accounts anyway: {', '.join(strangers)}")
    return kept
