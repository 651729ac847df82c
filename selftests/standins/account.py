"""An account whose answers the test gives."""

from __future__ import annotations

from fixtures.api.backend import Backend
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.regions import global_region_of
from fixtures.model import Account


def account_of(
    backend: Backend, *, id: str = "123456789012", partition: str = "aws", regions: tuple[str, ...] = ("eu-west-1",)
) -> Account:
    """An audited account that asks ``backend``. Its threads start with the first call."""
    home = global_region_of(partition)
    return Account(
        id, backend=backend, crew=Crew(2), now=utcnow(), partition=partition, regions=regions, home_region=home,
        global_region=home,
    )  # fmt: skip
