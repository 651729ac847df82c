"""Facts that age say when and where they were looked up, and are looked up again before they change a verdict."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from fixtures.ageing import LAMBDA_RUNTIMES, SOURCES, Source
from selftests.dated_tables import ROOT, Tables, constants, days, due, has_days, loaded, modules

FACTS = Path(str(sys.modules[Source.__module__].__file__))
"""The module that has SOURCES."""
HOW = f'is a table of facts that age: add it, Source(date(…), "https://…"), to SOURCES in {FACTS.relative_to(ROOT)}'

ELSEWHERE = (
    *("RESTRICTING_OPERATORS", "RESOURCE_VARIABLES", "SOURCE_KEYS", "NARROW"),  # of policies
    *("PRIVATE_RANGES", "NOT_PUBLIC"),  # of addresses
)
"""Tables of other modules that age without having days in them."""


def undated(found: Mapping[Path, Tables], dated: Mapping[str, Source]) -> list[str]:
    """The tables that lack a source: any in the module of SOURCES, and in others those that have days in them."""
    return [
        f"{file.relative_to(ROOT)}: {name} {HOW}"
        for file, tables in found.items()
        for name, value in tables.items()
        if name not in dated and name != "SOURCES" and not name.endswith("_AS_OF")
        if file == FACTS or has_days(value)
    ]


def test_every_table_has_a_date_and_a_source() -> None:
    found = modules()
    left = undated(found, SOURCES)
    assert not left, "\n".join(left)
    assert set(ELSEWHERE) <= SOURCES.keys()
    assert SOURCES.keys() <= {name for tables in found.values() for name in tables}, "SOURCES names what is not there"
    for name, source in SOURCES.items():
        assert source.url.startswith("https://"), name
        assert source.as_of <= date.today(), name


def test_a_table_without_a_source_is_told_where_to_add_it() -> None:
    text = (
        'ENGINES = {"5.7": date(2027, 1, 1)}\nVERSION = "2012-10-17"\nPORTS = (1,)\nOLD = ("2025-01-01",)\n_OWN = [1]\n'
    )
    file = ROOT / "fixtures" / "new.py"
    tables = constants(text)
    assert undated({file: tables}, {}) == [f"fixtures/new.py: ENGINES {HOW}", f"fixtures/new.py: OLD {HOW}"]
    assert undated({file: tables}, dict.fromkeys(("ENGINES", "OLD"), Source(date(2026, 1, 1), ""))) == []
    assert len(undated({FACTS: tables}, {})) == 4


@pytest.mark.parametrize(
    ("as_of", "today", "expected"),
    [
        (date(2026, 11, 1), date(2027, 1, 28), []),
        (date(2026, 11, 1), date(2027, 1, 30), ["x.1 deprecated on 2027-03-31"]),
        (date(2026, 11, 1), date(2027, 3, 1), ["x.1 deprecated on 2027-03-31", "y on 2027-04-30"]),
        (date(2026, 11, 1), date(2028, 1, 1), ["x.1 deprecated on 2027-03-31", "y on 2027-04-30"]),
        (date(2027, 2, 1), date(2027, 3, 1), ["y on 2027-04-30"]),
        (date(2027, 4, 1), date(2028, 1, 1), []),
    ],
)
def test_entries_are_due_from_60_days_ahead_until_they_are_looked_up(
    as_of: date, today: date, expected: list[str]
) -> None:
    table = {"x.1": {"deprecated": date(2027, 3, 31), "block_create": date(2027, 1, 1)}, "y": [date(2027, 4, 30)]}
    assert due(table, as_of, today) == expected


def test_the_day_of_each_runtime_of_lambda_counts() -> None:
    assert [name for name, _ in days(LAMBDA_RUNTIMES)] == [f"{runtime} deprecated" for runtime in LAMBDA_RUNTIMES]


def test_tables_are_looked_up_before_they_change_a_verdict() -> None:
    """Warns only: that time passes breaks no build."""
    for file, tables in modules().items():
        for name in SOURCES.keys() & tables.keys():
            source = SOURCES[name]
            entries = due(loaded(file, name), source.as_of, date.today())
            if entries:
                where = f"{name} in {file.relative_to(ROOT)}"
                warnings.warn(
                    f"look up {where} again at {source.url}, then set its date ({source.as_of}): {', '.join(entries)}",
                    stacklevel=1,
                )
