"""CIS AWS Foundations 1.2.0, section 1: identity and access management."""

from datetime import timedelta
from typing import Any

import pytest

from fixtures.model import Account
from fixtures.services.account import missing_contact_fields, missing_security_fields
from fixtures.services.ec2.instances import Instance
from fixtures.services.iam.credential_report import UserCredentials, moment, root_credentials
from fixtures.services.iam.identities import (
    CustomerPolicy,
    User,
    account_summary,
    password_policy,
    roles_with_support_access,
    root_has_no_credentials,
    root_keys_present,
    virtual_root_devices,
)
from plugins.catalog import check

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
PASSWORD_POLICY = f"{GUIDE}/id_credentials_passwords_account-policy.html"
WHOLE_POLICY = "update-account-password-policy replaces the whole policy, so pass all wanted options together."


@check(
    "check11",
    severity="high",
    level=1,
    service="iam",
    remediation="Use an administrative role or Identity Center user for daily work and keep root for the few tasks that"
    " need it; alert on root sign-in.",
    url=f"{GUIDE}/root-user-best-practices.html",
)
def test_root_was_not_used_recently(account: Account, *, root_usage_window_days: int = 1) -> str:
    """Root user has not been used recently."""
    if account.is_isolated_or_gov:
        pytest.skip(f"root has no sign-in of its own in partition {account.partition}")
    row = root_credentials(account)
    if row is None:
        pytest.skip("the credential report has no row for root")
    columns = {
        "password": "password_last_used",
        "access key 1": "access_key_1_last_used_date",
        "access key 2": "access_key_2_last_used_date",
    }
    uses = [(used, name) for name, column in columns.items() if (used := moment(row.get(column))) is not None]
    if not uses:
        return "no root credential was ever used, as far as AWS tells"
    used, name = max(uses)
    days = (account.now - used).days
    evidence = (
        f"root's {name} was used last, at {used:%Y-%m-%d %H:%M} UTC, {days} days ago (window {root_usage_window_days})"
    )
    assert account.now - used > timedelta(days=root_usage_window_days), evidence
    return evidence


@check(
    "check12",
    severity="high",
    level=1,
    remediation="Register an MFA device (preferably a passkey or security key) for the user, or delete the login profile if"
    " console access is not needed.",
    command="aws iam enable-mfa-device --user-name USER --serial-number MFA_ARN --authentication-code1 CODE1"
    " --authentication-code2 CODE2",
    url=f"{GUIDE}/id_credentials_mfa.html",
)
def test_console_user_has_mfa(user_credentials: UserCredentials) -> str:
    """IAM users with a console password have an MFA device."""
    user = user_credentials
    evidence = f"user {user.id}: password {_yes(user.has_password)}, MFA {_yes(user.has_mfa)} (report up to 4 h old)"
    assert not user.has_password or user.has_mfa, evidence
    return evidence


def _yes(value: bool) -> str:
    return "enabled" if value else "not enabled"


@check(
    "check13",
    severity="medium",
    level=1,
    remediation="Deactivate the stale access key or delete the login profile, then delete the key once nothing breaks.",
    command="aws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive",
    url=f"{GUIDE}/id_credentials_finding-unused.html",
)
def test_unused_credentials_are_disabled(
    user_credentials: UserCredentials, *, max_unused_credentials_days: int = 90
) -> str:
    """Credentials unused for 90 days or more are disabled."""
    unused = user_credentials.unused()
    stale = [text for text, days in unused if days >= max_unused_credentials_days]
    assert not stale, f"user {user_credentials.id}: {'; '.join(stale)}"
    seen = f"user {user_credentials.id}: {'; '.join(text for text, _ in unused) or 'no enabled credential'}"
    _require_complete(user_credentials, seen)
    return seen


def _require_complete(user: UserCredentials, seen: str) -> None:
    """Skip (INFO) where the user has credentials that the report does not describe."""
    if user.further_credentials:
        pytest.skip(f"{seen}; the report names more without their use or age: {user.further_credentials}")


@check(
    "check14",
    severity="medium",
    level=1,
    remediation="Create a second key, move the workload to it, then deactivate and delete the old one; prefer role"
    " credentials over keys.",
    command="aws iam update-access-key --user-name USER --access-key-id OLD_KEY_ID --status Inactive",
    url=f"{GUIDE}/id-credentials-access-keys-update.html",
)
def test_access_keys_are_rotated(user_credentials: UserCredentials, *, max_access_key_age_days: int = 90) -> str:
    """Active access keys are rotated at least every 90 days."""
    user = user_credentials
    ages = {slot: user.days_since(user.key_rotated(slot)) for slot in user.active_keys}
    shown = {
        slot: f"access key {slot} rotated {user.key_rotated(slot):%Y-%m-%d}, {age} days ago"
        for slot, age in ages.items()
    }
    old = [shown[slot] for slot, age in ages.items() if age > max_access_key_age_days]
    assert not old, f"user {user.id}: {'; '.join(old)}"
    seen = f"user {user.id}: {'; '.join(shown.values()) or 'no active access key'}"
    _require_complete(user, seen)
    return seen


def _required_policy(account: Account) -> dict[str, Any]:
    policy = password_policy(account)
    assert policy is not None, "no account password policy: AWS's default applies, which does not meet this"
    return policy


@check(
    "check15",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set the account password policy so that a password needs an uppercase letter. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --require-uppercase-characters",
    url=PASSWORD_POLICY,
)
def test_password_needs_uppercase(account: Account) -> str:
    """IAM password policy asks for an uppercase letter."""
    return _requires(account, "RequireUppercaseCharacters")


@check(
    "check16",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set the account password policy so that a password needs a lowercase letter. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --require-lowercase-characters",
    url=PASSWORD_POLICY,
)
def test_password_needs_lowercase(account: Account) -> str:
    """IAM password policy asks for a lowercase letter."""
    return _requires(account, "RequireLowercaseCharacters")


@check(
    "check17",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set the account password policy so that a password needs a symbol. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --require-symbols",
    url=PASSWORD_POLICY,
)
def test_password_needs_symbol(account: Account) -> str:
    """IAM password policy asks for a symbol."""
    return _requires(account, "RequireSymbols")


@check(
    "check18",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set the account password policy so that a password needs a digit. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --require-numbers",
    url=PASSWORD_POLICY,
)
def test_password_needs_digit(account: Account) -> str:
    """IAM password policy asks for a digit."""
    return _requires(account, "RequireNumbers")


def _requires(account: Account, option: str) -> str:
    policy = _required_policy(account)
    evidence = f"the password policy has {option} {bool(policy.get(option))}"
    assert policy.get(option), evidence
    return evidence


@check(
    "check19",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Raise the minimum password length to 14 characters. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --minimum-password-length 14",
    url=PASSWORD_POLICY,
)
def test_password_is_long(account: Account, *, min_password_length: int = 14) -> str:
    """IAM password policy sets a minimum length of 14 or more."""
    length = _required_policy(account).get("MinimumPasswordLength", 0)
    evidence = f"the minimum password length is {length}, {min_password_length} is required"
    assert length >= min_password_length, evidence
    return evidence


@check(
    "check110",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set password reuse prevention to 24 remembered passwords (the API maximum). {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --password-reuse-prevention 24",
    url=PASSWORD_POLICY,
)
def test_passwords_are_not_reused(account: Account, *, min_password_reuse_prevention: int = 24) -> str:
    """IAM password policy remembers the last 24 passwords."""
    remembered = _required_policy(account).get("PasswordReusePrevention")
    shown = "not set" if remembered is None else remembered
    evidence = f"password reuse prevention is {shown}, {min_password_reuse_prevention} is required"
    assert remembered is not None and remembered >= min_password_reuse_prevention, evidence
    return evidence


@check(
    "check111",
    severity="medium",
    level=1,
    service="iam",
    remediation=f"Set a maximum password age of 90 days or less. {WHOLE_POLICY}",
    command="aws iam update-account-password-policy --max-password-age 90",
    url=PASSWORD_POLICY,
)
def test_passwords_expire(account: Account, *, max_password_age_days: int = 90) -> str:
    """IAM password policy expires passwords within 90 days."""
    policy = _required_policy(account)
    age = policy.get("MaxPasswordAge") or 0
    assert policy.get("ExpirePasswords") and age >= 1, (
        f"passwords never expire, the limit is {max_password_age_days} days"
    )
    evidence = f"passwords expire after {age} days, the limit is {max_password_age_days}"
    assert age <= max_password_age_days, evidence
    return evidence


@check(
    "check112",
    severity="critical",
    level=1,
    service="iam",
    remediation="Sign in as root and delete its access keys; use roles or Identity Center for programmatic work.",
    url=f"{GUIDE}/id_root-user_manage_delete-key.html",
)
def test_root_has_no_access_keys(account: Account) -> str:
    """Root user has no access keys."""
    present = root_keys_present(account)
    row = root_credentials(account) or {}
    active = [f"access key {slot}" for slot in (1, 2) if row.get(f"access_key_{slot}_active") == "true"]
    assert not active, f"root has active keys: {', '.join(active)} (the account summary counts {present})"
    assert not present, f"an inactive root key exists: the account summary counts {present}, present but inactive"
    return "root has no access key"


@check(
    "check113",
    severity="critical",
    level=1,
    service="iam",
    remediation="Sign in as root and register at least one MFA device, or remove member-account root credentials centrally.",
    url=f"{GUIDE}/enable-mfa-for-root.html",
)
def test_root_has_mfa(account: Account) -> str:
    """Root user is protected by MFA."""
    if account.is_isolated_or_gov:
        pytest.skip(f"root has no console sign-in in partition {account.partition}")
    enabled = account_summary(account).get("AccountMFAEnabled", 0)
    if not enabled and root_has_no_credentials(account):
        pytest.skip("root has no credentials (AccountMFAEnabled 0, no password, access key or certificate)")
    assert enabled, "root has no MFA device (AccountMFAEnabled 0)"
    return "root has an MFA device (AccountMFAEnabled 1)"


@check(
    "check114",
    severity="critical",
    level=2,
    service="iam",
    remediation="Register a hardware TOTP token or FIDO2 security key for root and remove its virtual devices.",
    url=f"{GUIDE}/enable-hw-mfa-for-root.html",
)
def test_root_has_hardware_mfa(account: Account) -> str:
    """Root user is protected by a hardware MFA device only."""
    if account.partition != "aws":
        pytest.skip(f"hardware MFA for root cannot be told in partition {account.partition}")
    if not account_summary(account).get("AccountMFAEnabled", 0):
        if root_has_no_credentials(account):
            pytest.skip("root has no credentials (AccountMFAEnabled 0, no password, access key or certificate)")
        raise AssertionError("root has no MFA device (AccountMFAEnabled 0)")
    devices = virtual_root_devices(account)
    if devices and root_has_no_credentials(account):
        pytest.skip(
            f"root has no credentials (no password, access key or certificate): {', '.join(devices)} protects nothing"
        )
    assert not devices, f"root has a virtual MFA device: {', '.join(devices)}"
    return "root has non-virtual MFA (a synced passkey cannot be told from a hardware key)"


@check(
    "check115",
    severity="medium",
    level=1,
    scored=False,
    service="account",
    remediation="Keep root e-mail, phone number and alternate contacts current; questions can no longer be registered.",
    url="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact.html",
)
def test_root_recovery_questions(account: Account) -> None:
    """Root account recovery questions (retired AWS feature, manual review)."""
    pytest.skip(
        f"account {account.id}: manual, retired. Security questions could not be added since January 2024 and not edited"
        " since January 2025; review root e-mail, phone, MFA and the contacts of 1.17 and 1.18 instead"
    )


@check(
    "check116",
    severity="low",
    level=1,
    remediation="Move the permissions to a group or role and detach or delete the user's own policies.",
    command="aws iam detach-user-policy --user-name USER --policy-arn POLICY_ARN",
    url=f"{GUIDE}/best-practices.html",
)
def test_user_has_no_policies_of_its_own(user: User) -> str:
    """IAM policies are attached to groups or roles, not to users."""
    assert not user.own_policies, f"user {user.id} has policies of its own: {', '.join(user.own_policies)}"
    return f"user {user.id} has no policies of its own"


@check(
    "check117",
    severity="medium",
    level=1,
    scored=False,
    service="account",
    remediation="Update the primary contact with a monitored company address and phone number.",
    command="aws account put-contact-information --contact-information file://contact.json",
    url="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-primary.html",
)
def test_contact_details_are_filled_in(account: Account) -> str:
    """Primary contact details of the account are filled in."""
    if account.is_isolated_or_gov:
        pytest.skip(f"contacts are managed on the linked commercial account in partition {account.partition}")
    missing = missing_contact_fields(account)
    assert missing is not None, "there is no contact information"
    assert not missing, f"missing: {', '.join(missing)}"
    return "all mandatory fields are set, confirm that they are current"


@check(
    "check118",
    severity="medium",
    level=1,
    scored=False,
    service="account",
    remediation="Register a monitored security mailbox and phone number as the security contact.",
    command="aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME --title TITLE"
    " --email-address EMAIL --phone-number PHONE",
    url="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",
)
def test_security_contact_is_registered(account: Account) -> str:
    """A security alternate contact is registered for the account."""
    if account.is_isolated_or_gov:
        pytest.skip(f"contacts are managed on the linked commercial account in partition {account.partition}")
    missing = missing_security_fields(account)
    assert missing is not None, "there is no security contact"
    assert not missing, f"the security contact lacks {', '.join(missing)}"
    return "a security contact with e-mail address and phone number is registered"


@check(
    "check119",
    severity="medium",
    level=2,
    scored=False,
    remediation="Create a role with the needed permissions and associate its instance profile; remove static keys from the host.",
    command="aws ec2 associate-iam-instance-profile --instance-id INSTANCE_ID --iam-instance-profile Name=PROFILE_NAME",
    url=f"{GUIDE}/id_roles_use_switch-role-ec2.html",
)
def test_instance_has_an_instance_profile(instance: Instance) -> str:
    """EC2 instances use an instance profile for AWS access."""
    where = f"{instance.id} ({instance.state}) in {instance.region}"
    assert instance.instance_profile, f"{where} has no instance profile"
    return f"{where} has instance profile {instance.instance_profile}"


@check(
    "check120",
    severity="medium",
    level=1,
    service="iam",
    remediation="Create a role that incident handlers can assume and attach AWSSupportAccess.",
    command="aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::aws:policy/AWSSupportAccess",
    url="https://docs.aws.amazon.com/awssupport/latest/user/accessing-support.html",
)
def test_support_role_exists(account: Account) -> str:
    """A role for AWS Support incident handling exists."""
    roles, others = roles_with_support_access(account)
    assert roles, (
        f"only users or groups hold AWSSupportAccess: {', '.join(others)}"
        if others
        else "nobody holds AWSSupportAccess"
    )
    return f"AWSSupportAccess is held by {', '.join(roles)}"


@check(
    "check121",
    severity="medium",
    level=1,
    scored=False,
    remediation="Delete the unused key and let the user create one only when needed.",
    command="aws iam delete-access-key --user-name USER --access-key-id KEY_ID",
    url=f"{GUIDE}/id_credentials_access-keys.html",
)
def test_console_user_has_no_never_used_keys(user_credentials: UserCredentials) -> str:
    """Console users have no access keys that were never used."""
    user = user_credentials
    if not user.has_password:
        return f"user {user.id} has no console password"
    never = [
        f"access key {slot} of {user.key_rotated(slot):%Y-%m-%d} was never used"
        + (" (made with the user)" if user.key_rotated(slot) == user.created else "")
        for slot in user.active_keys
        if user.key_used(slot) is None
    ]
    assert not never, f"user {user.id}: {'; '.join(never)}"
    seen = f"user {user.id}: no active access key that was never used"
    _require_complete(user, seen)
    return seen


@check(
    "check122",
    severity="medium",
    level=1,
    remediation="Detach the policy, publish a version limited to what is needed and delete the old version.",
    command="aws iam detach-role-policy --role-name ROLE --policy-arn POLICY_ARN",
    url=f"{GUIDE}/access_policies_managed-versioning.html",
)
def test_customer_policy_is_no_full_access(customer_policy: CustomerPolicy) -> str:
    """No customer managed policy grants full administrative access."""
    policy = customer_policy
    assert not policy.full_access, f"{policy.label} grants everything: {', '.join(policy.full_access)}"
    return f"{policy.label} does not grant everything"
