"""AWS KMS: customer managed keys."""

import pytest

from fixtures.services.kms import CustomerKey
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra736",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the wildcard principal in the key policy by the roles or accounts that need the key.",
    command="aws kms put-key-policy --key-id KEY --policy-name default --policy file://policy.json",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
)
def test_key_policy_is_not_public(customer_key: CustomerKey) -> str:
    """Customer managed KMS keys are not exposed to everyone."""
    name = f"key {customer_key.id} in {customer_key.region} ({customer_key.state})"
    if customer_key.is_being_deleted:
        pytest.skip(f"{name} is being deleted")
    assert not customer_key.public_statements, f"{name} admits everyone: {'; '.join(customer_key.public_statements)}"
    return f"{name} has a policy that is not public"


@check(
    "extra737",
    severity="medium",
    remediation="Enable yearly automatic rotation; for other key types plan manual rotation behind an alias.",
    command="aws kms enable-key-rotation --key-id KEY",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)
def test_customer_key_rotates(customer_key: CustomerKey, *, max_rotation_period_days: int | None = None) -> str:
    """Automatic rotation is on for customer managed KMS keys."""
    key = customer_key
    if key.state != "Enabled":
        pytest.skip(f"{key.label} is {key.state}: KMS rotates enabled keys only")
    if not key.can_rotate or key.rotation is None:
        pytest.skip(f"{key.label} cannot rotate automatically")
    problem = key.rotation_problem(max_rotation_period_days)
    assert not problem, problem
    return f"{key.label}: rotation is on, every {key.rotation_days} days"
