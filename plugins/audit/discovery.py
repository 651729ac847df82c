"""Discovery: list every kind of resource that the selected checks need, all listing calls in flight together.

A kind of scope "region" is listed in each audited region, a kind of scope "global" once per account. What comes out is
turned into rows: one row becomes one test item.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fixtures.api.crew import Crew
from fixtures.api.endpoints import NOT_OFFERED
from fixtures.api.errors import ApiError
from fixtures.model import Account, RegionApi, Resource
from plugins.catalog.checks import Check
from plugins.findings.row import Row, empty_row
from plugins.findings.verdict import Verdict, verdict_of


@dataclass
class Listing:
    """What listing one kind in one account and region gave."""

    resources: list[Resource] = field(default_factory=list)
    errors: list[ApiError | Verdict] = field(default_factory=list)
    left_out: int = 0
    """Resources beyond --max-items."""


Kind: TypeAlias = type[Resource]
Place: TypeAlias = tuple[str, str, str]
"""Kind name, account id, region."""
Listings: TypeAlias = dict[Place, Listing]


@dataclass(frozen=True)
class Part:
    """The part of an account that a process audits: ``regions`` None for all of the account's, and perhaps what is global."""

    regions: Sequence[str] | None = None
    with_global: bool = True


WHOLE = Part()


def places(kind: Kind, account: Account, part: Part = WHOLE) -> list[str]:
    """The regions for which a kind is listed in a part of an account.

    A global kind has the account's global region alone; a regional one, where the regions cannot be listed, the home
    region: in both cases for the part that has what is global.
    """
    if kind.scope == "global":
        return [account.global_region] if part.with_global else []
    if account.regions_error is not None:
        return [account.home_region] if part.with_global else []
    return list(account.regions if part.regions is None else part.regions)


def discover(
    kinds: Iterable[Kind], accounts: Sequence[Account], crew: Crew, part: Part = WHOLE, *, max_items: int | None = None
) -> Listings:
    """List the kinds in a part of all accounts at once; no more than ``max_items`` of a kind in each place."""

    def listed(kind: Kind, account: Account, region: str) -> Listing:
        if kind.scope == "global":
            return _list(kind, account.api, max_items)
        if account.regions_error is not None:
            return Listing(errors=[account.regions_error])
        return _list(kind, account.in_region(region), max_items)

    wanted = [
        (kind, account, region)
        for account in accounts
        for kind in sorted(kinds, key=lambda kind: kind.kind)
        for region in places(kind, account, part)
    ]
    work = [functools.partial(listed, *one) for one in wanted]
    keys = [(kind.kind, account.id, region) for kind, account, region in wanted]
    return dict(zip(keys, crew.gather_nested(work), strict=True))


def _list(kind: Kind, api: RegionApi, max_items: int | None) -> Listing:
    """List a kind in one place. A kind that cannot be listed is ERROR for its checks, the others go on.

    Where its service is not offered there is nothing of it: no resource and no error.
    """
    listing = Listing()
    try:
        for found in kind.discover(api):
            if isinstance(found, ApiError):
                if found.code != NOT_OFFERED:
                    listing.errors.append(found)
            elif max_items is not None and len(listing.resources) >= max_items:
                listing.left_out += 1
            elif (error := _unnamed(found)) is not None:
                listing.errors.append(error)
            else:
                listing.resources.append(found)
    except Exception as raised:  # noqa: BLE001
        if not (isinstance(raised, ApiError) and raised.code == NOT_OFFERED and raised.service == kind.service):
            listing.errors.append(_error(raised))
    return listing


def _unnamed(resource: Resource) -> ApiError | Verdict | None:
    """Work out now what the report needs of a resource, region and ARN; an error when that fails."""
    try:
        resource.region, resource.arn  # noqa: B018
    except Exception as raised:  # noqa: BLE001
        return _error(raised)
    return None


def _error(raised: Exception) -> ApiError | Verdict:
    if isinstance(raised, ApiError):
        return raised
    verdict = verdict_of(raised)
    assert verdict is not None
    return Verdict("ERROR", verdict.message, verdict.crash)


def rows_for(check: Check, listings: Listings, accounts: Sequence[Account], part: Part = WHOLE) -> list[Row]:
    """The rows of a check: what was listed of its kind, and one INFO for an account in which there is nothing to look at."""
    assert check.resource is not None
    rows: list[Row] = []
    for account in accounts:
        found = listed_rows(check.resource, account, listings, part)
        rows += found or ([empty_row(check, account)] if places(check.resource, account, part) else [])
    return rows


def listed_rows(kind: Kind, account: Account, listings: Listings, part: Part = WHOLE) -> list[Row]:
    """One row per resource of a kind, and one ERROR for what could not be listed in a place."""
    rows: list[Row] = []
    for region in places(kind, account, part):
        listing = listings.get((kind.kind, account.id, region))
        if listing is not None:
            rows += [Row(account, resource.region, resource.id, resource) for resource in listing.resources]
            rows += [_error_row(account, region, error) for error in listing.errors]
    return rows


def _error_row(account: Account, region: str, error: ApiError | Verdict) -> Row:
    if isinstance(error, Verdict):
        return Row(account, region, f"{account.id} {region}", verdict=error)
    where = error.region or region
    return Row(
        account, where, f"{account.id} {where}", verdict=Verdict("ERROR", str(error)), refused=error.operation
    )  # fmt: skip
