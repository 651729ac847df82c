"""IAM: administrators, policies, sign-in and credentials."""

from collections.abc import Sequence

import pytest

from fixtures.model import Account
from fixtures.rules.role_assumption import ASSUME_ROLE_ACTIONS, open_assumptions
from fixtures.services.iam.administrators import Administrator
from fixtures.services.iam.credential_report import Credential
from fixtures.services.iam.identities import IamPolicy, saml_providers
from plugins.catalog import check

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"


@check(
    "extra71",
    severity="high",
    remediation="Register an MFA device for each administrator, or move the person to federated access with temporary"
    " credentials.",
    command="aws iam enable-mfa-device --user-name NAME --serial-number arn:aws:iam::ACCOUNT:mfa/NAME"
    " --authentication-code1 CODE1 --authentication-code2 CODE2",
    url=f"{GUIDE}/id_credentials_mfa.html",
)
def test_administrator_has_mfa(
    administrator: Administrator, *, include_direct: bool = True, include_equivalent_policies: bool = True
) -> str:
    """Users holding administrator rights have an MFA device."""
    if administrator.user is None:
        pytest.skip(f"no user is an administrator; groups with administrator rights: {administrator.empty_groups}")
    paths = administrator.paths(direct=include_direct, equivalent=include_equivalent_policies)
    if not paths:
        pytest.skip(f"user {administrator.id} is an administrator only in ways that the settings leave out")
    devices = len(administrator.mfa_devices)
    found = f"user {administrator.id} is an administrator by {' and '.join(paths)}; MFA devices: {devices}"
    assert devices, found
    return found


@check(
    "extra7100",
    severity="critical",
    remediation="List the full ARN of every role the principal may assume. Put wildcards only where an organisation-wide"
    " role is meant, and record that exception in the configuration.",
    command="aws iam create-policy-version --policy-arn POLICY_ARN --policy-document file://policy.json --set-as-default",
    url=f"{GUIDE}/id_roles_use_permissions-to-switch.html",
)
def test_policy_assumes_named_roles_only(
    iam_policy: IamPolicy,
    *,
    assume_role_actions: Sequence[str] = ASSUME_ROLE_ACTIONS,
    include_inline_policies: bool = True,
    only_attached: bool = False,
    allowed_role_patterns: Sequence[str] = (),
    accept_resource_scoping_conditions: bool = False,
) -> str:
    """Own IAM policies do not allow assuming arbitrary roles."""
    if iam_policy.owner and not include_inline_policies:
        pytest.skip(f"{iam_policy.label}: inline policies are left out by the settings")
    if only_attached and not iam_policy.is_attached:
        pytest.skip(f"{iam_policy.label}: unattached policies are left out by the settings")
    found = open_assumptions(
        iam_policy.document,
        partition=iam_policy.api.account.partition,
        actions=assume_role_actions,
        allowed=allowed_role_patterns,
        accept_scoping=accept_resource_scoping_conditions,
    )
    name = iam_policy.label if iam_policy.is_attached else f"unattached {iam_policy.label}"
    assert not found, f"{name}: {'; '.join(found)}"
    return f"{name} names the roles that it lets assume, if any"


@check(
    "extra733",
    severity="low",
    service="iam",
    remediation="Connect the identity provider of the organisation through IAM Identity Center or a SAML provider and let"
    " people assume roles instead of using IAM users.",
    command="aws iam create-saml-provider --name NAME --saml-metadata-document file://metadata.xml",
    url=f"{GUIDE}/id_roles_providers_saml.html",
)
def test_saml_provider_exists(account: Account) -> str:
    """A SAML identity provider exists so that people sign in with temporary credentials."""
    providers = saml_providers(account)
    assert providers, "there is no SAML provider"
    valid = [one for one in providers if one.valid_until is None or one.valid_until > account.now]
    assert valid, f"every SAML provider has expired: {', '.join(map(str, providers))}"
    return f"SAML providers: {', '.join(map(str, valid))}"


@check(
    "extra774",
    severity="medium",
    remediation="Deactivate the unused key or delete the login profile, and delete them after a grace period.",
    command="aws iam update-access-key --user-name NAME --access-key-id KEY --status Inactive",
    url=f"{GUIDE}/id_credentials_finding-unused.html",
)
def test_credential_is_in_use(credential: Credential, *, max_unused_days: int = 30) -> str:
    """Credentials unused for 30 days are disabled."""
    text, days = credential.unused
    found = f"user {credential.owner.id}: {text}, the limit is {max_unused_days} days"
    assert days < max_unused_days, found
    return found
