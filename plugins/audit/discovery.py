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


def discover(kinds: Iterable[Kind], accounts: Sequence[Account], crew: Crew, *, max_items: int | None = None,
             global_part: bool = True, regions: Sequence[str] | None = None) -> Listings:  # fmt: skip
    """List the kinds in all accounts and regions at once.

    ``regions`` and ``global_part`` narrow it to a shard: regional kinds in these regions (default: all of the
    account's), global kinds only with ``global_part``.
    """
    places: list[tuple[Place, Kind, RegionApi]] = []
    closed: Listings = {}
    for account in accounts:
        for kind in sorted(kinds, key=lambda kind: kind.kind):
            if kind.scope == "global":
                if global_part:
                    places.append(((kind.kind, account.id, account.global_region), kind, account.api))
            elif account.regions_error is not None:
                if global_part:
                    closed[kind.kind, account.id, account.home_region] = Listing(errors=[account.regions_error])
            else:
                wanted = account.regions if regions is None else regions
                places += [((kind.kind, account.id, region), kind, account.in_region(region)) for region in wanted]
    listed = crew.gather_nested([functools.partial(_list, kind, api, max_items) for _, kind, api in places])
    return {**closed, **dict(zip((place for place, _, _ in places), listed, strict=True))}


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


def rows_for(check: Check, listings: Listings, accounts: Sequence[Account], *, regions: Sequence[str] | None = None,
             global_part: bool = True, tell_empty: bool = True) -> list[Row]:  # fmt: skip
    """The rows of a check: one per resource, one ERROR per place that could not be listed, and one INFO per account
    in which there is nothing to look at (``tell_empty``; a shard that sees a part of the account cannot tell).
    """
    kind = check.resource
    assert kind is not None
    rows: list[Row] = []
    for account in accounts:
        if kind.scope == "global":
            places = [account.global_region] if global_part else []
        elif account.regions_error is not None:
            places = [account.home_region] if global_part else []
        else:
            places = list(account.regions if regions is None else regions)
        before = len(rows)
        for region in places:
            listing = listings.get((kind.kind, account.id, region))
            if listing is None:
                continue
            rows.extend(Row(account, resource.region, resource.id, resource) for resource in listing.resources)
            for error in listing.errors:
                if isinstance(error, Verdict):
                    rows.append(Row(account, region, f"{account.id} {region}", verdict=error))
                    continue
                where = error.region or region
                verdict = Verdict("ERROR", str(error))
                rows.append(Row(account, where, f"{account.id} {where}", verdict=verdict, refused=error.operation))
        if len(rows) == before and places and tell_empty:
            rows.append(empty_row(check, account))
    return rows
