"""What AWS calls sensitive in the answers that checks ask for is known to the tables of redaction, or excused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from botocore.model import Shape

from fixtures.recording.redaction import EVERYWHERE, OF_OPERATION, members_of
from permissions.policy import calls
from selftests.architecture.plausible import session

EXCUSED = {
    (
        "s3:GetBucketEncryption",
        "ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
    ): "the id of a key is no secret, and findings name it",
}
"""Call and path of members -> why a recording may hold it."""
MADE = sorted({call for made in calls().values() for call in made})


def sensitive(
    shape: Shape | None, path: tuple[str, ...] = (), above: frozenset[str] = frozenset()
) -> Iterator[tuple[str, ...]]:
    """The paths of all members that the model calls sensitive; * stands for the values of a map, # for its keys."""
    if shape is None or shape.name in above:
        return
    if shape.metadata.get("sensitive"):
        yield path
    above |= {shape.name}
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from sensitive(member, (*path, name), above)
    elif shape.type_name == "list":
        yield from sensitive(shape.member, path, above)
    elif shape.type_name == "map":
        yield from sensitive(shape.key, (*path, "#"), above)
        yield from sensitive(shape.value, (*path, "*"), above)


def sensitive_of(call: str) -> set[tuple[str, ...]]:
    service, _, operation = call.partition(":")
    return set(sensitive(session().get_service_model(service).operation_model(operation).output_shape))


@pytest.mark.parametrize("call", MADE)
def test_sensitive_members_are_redacted(call: str) -> None:
    members: Mapping[str, str] = members_of(*call.split(":"))
    unknown = [
        ".".join(path)
        for path in sensitive_of(call)
        if not members.keys() & set(path) and (call, ".".join(path)) not in EXCUSED
    ]
    assert not unknown, "add them to fixtures/recording/redaction.py, or excuse them"


def test_the_walk_sees_members_at_any_depth() -> None:
    assert ("LaunchTemplateVersions", "LaunchTemplateData", "UserData") in sensitive_of(
        "ec2:DescribeLaunchTemplateVersions"
    )
    assert ("Functions", "Environment", "Variables", "*") in sensitive_of("lambda:ListFunctions")


def test_every_excuse_is_needed() -> None:
    for call, path in EXCUSED:
        assert call in MADE
        assert tuple(path.split(".")) in sensitive_of(call)


def test_the_tables_name_members_that_are_there() -> None:
    for (service, operation), members in OF_OPERATION.items():
        shape = session().get_service_model(service).operation_model(operation).output_shape
        assert set(members) <= names_in(shape), (service, operation)
    assert not EVERYWHERE.keys() & {name for members in OF_OPERATION.values() for name in members}


def names_in(shape: Shape, above: frozenset[str] = frozenset()) -> set[str]:
    """The names of all members below a shape."""
    if shape.name in above:
        return set()
    above |= {shape.name}
    if shape.type_name == "structure":
        return set(shape.members).union(*(names_in(one, above) for one in shape.members.values()))
    inner = {"list": "member", "map": "value"}.get(shape.type_name)
    return names_in(getattr(shape, inner), above) if inner else set()
