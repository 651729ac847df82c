"""What was thought about members and enum values that AWS added: ``api_reviews.yaml``, by service and name.

::

    ec2:
      Instance.NewMember: {judged: "extra786: absent means required"}
      InstanceType.*: {of no bearing: no check judges the type of an instance}

``Shape.*`` is all that a shape has or will have; it can only be of no bearing, because what is judged is judged one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from permissions.api_snapshot import SnapshotError, read_file

FILE = Path(__file__).resolve().parent / "api_reviews.yaml"


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which check judges it and how, or why it bears on no verdict: one of the two."""

    judged: str = ""
    of_no_bearing: str = msgspec.field(name="of no bearing", default="")

    def __str__(self) -> str:
        return f"judged: {self.judged}" if self.judged else f"of no bearing: {self.of_no_bearing}"


Reviews = Mapping[str, Review]
"""``Shape.name`` or ``Shape.*`` of a service -> its review."""


def load(file: Path = FILE) -> dict[str, dict[str, Review]]:
    """Service -> name -> review. Raises SnapshotError that says what to write."""
    found = read_file(file, dict[str, dict[str, Review]] | None) or {}  # type: ignore[arg-type]
    for service, reviews in found.items():
        for name, review in reviews.items():
            if bool(review.judged.strip()) == bool(review.of_no_bearing.strip()):
                raise SnapshotError(f"{file}: {service} {name} needs either judged or of no bearing, with a reason")
            if name.endswith(".*") and review.judged:
                raise SnapshotError(f"{file}: {service} {name}: name each member or value that is judged, without *")
            if not all(name.partition(".")):
                raise SnapshotError(f"{file}: {service} {name}: write Shape.member, Shape.value or Shape.*")
    return found


def review_of(name: str, reviews: Reviews) -> Review | None:
    """The review of ``Shape.name``, its own or its shape's."""
    return reviews.get(name) or reviews.get(f"{name.partition('.')[0]}.*")


def closed(reviews: Reviews) -> set[str]:
    """The members behind which nothing has to be looked at: those of no bearing."""
    return {name for name, review in reviews.items() if review.of_no_bearing}
