"""fixtures/trust.py: which accounts a principal belongs to and which accounts are trusted."""

from __future__ import annotations

import pytest

from fixtures.account import Account
from fixtures.api import Crew, utcnow
from fixtures.trust import account_of, is_account_id, is_trusted, trusted_accounts
from selftests.conftest import StubBackend

OWN, OTHER, TRUSTED, UNKNOWN = "111111111111", "222222222222", "333333333333", "999999999999"

PRINCIPALS = [
    (f"arn:aws:iam::{OWN}:root", OWN),
    (f"arn:aws:iam::{OWN}:role/a", OWN),
    (f"arn:aws:iam::{OWN}:role/path/a:b", OWN),
    (f"arn:aws:iam::{OWN}:user/eve+tag@example.com", OWN),
    (f"arn:aws:iam::{OWN}:*", OWN),
    (f"arn:aws:sts::{OWN}:assumed-role/a/session", OWN),
    (f"arn:aws-cn:iam::{OWN}:user/x", OWN),
    (f"arn:aws-us-gov:iam::{OWN}:root", OWN),
    (OWN, OWN),
    ("000000000001", "000000000001"),
    ("*", None),
    ("", None),
    ("arn:aws:iam::*:root", None),
    ("arn:aws:iam::11111111111?:root", None),
    ("arn:aws:iam::aws:policy/x", None),
    ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", None),
    ("arn:aws:iam:::root", None),
    ("arn:aws:s3:::bucket", None),
    ("lambda.amazonaws.com", None),
    ("amazon-elb", None),
    (f"arn:aws:iam::{OWN}", None),
    (f"urn:aws:iam::{OWN}:root", None),
    (f"*:*:*:*:{OWN}:*", None),
    (f"arn:aws:iam::{OWN}0:root", None),
    (OWN[:-1], None),
    (f"{OWN}0", None),
    (f"{OWN}\n", None),
    (f" {OWN}", None),
    (f"{OWN},{OTHER}", None),
    ("11111111111١", None),  # noqa: RUF001 - a digit to str.isdigit, not to AWS
]
"""Principal -> the account that it belongs to; None: to no one account."""


@pytest.mark.parametrize(("principal", "account"), PRINCIPALS)
def test_the_account_of_a_principal(principal: str, account: str | None) -> None:
    assert account_of(principal) == account
    assert is_account_id(principal) is (principal == account)
    assert is_trusted(principal, {"", "*", OTHER}) is False
    assert is_trusted(principal, {"", "*", str(account)}) is (account is not None)


def audited(*trusted: str) -> Account:
    return Account(OWN, backend=StubBackend({}, None), crew=Crew(1), now=utcnow(), trusted_accounts=trusted)


@pytest.mark.parametrize(
    ("account", "more", "expected"),
    [
        (audited(), (), {OWN}),
        (audited(OTHER, TRUSTED), (), {OWN, OTHER, TRUSTED}),
        (audited(OTHER), [TRUSTED], {OWN, OTHER, TRUSTED}),
    ],
)
def test_the_trusted_accounts(account: Account, more: list[str], expected: set[str]) -> None:
    """The account itself, the others of the run and of --trusted-account, and a check's own list; no other."""
    trusted = trusted_accounts(account, more)
    assert trusted == expected
    assert not is_trusted(f"arn:aws:iam::{UNKNOWN}:root", trusted)
    assert all(is_trusted(f"arn:aws:iam::{one}:root", trusted) for one in expected)
