"""The sample organization's IAM: users, groups, roles, policies and password policies, good and bad."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from plugins.demo.account import EVERYWHERE, MANAGEMENT, PRODUCTION, SANDBOX, DemoAccount, policy, tags, trusts

ROLE = "AuditestDemo"
"""The role that an audit assumes in each account."""

AWS_POLICY = "arn:aws:iam::aws:policy/"
STRANGER = "arn:aws:iam::999988887777:root"
"""An account outside the organization."""

PASSWORD_POLICIES = {
    MANAGEMENT: {
        "MinimumPasswordLength": 16, "RequireSymbols": True, "RequireNumbers": True,
        "RequireUppercaseCharacters": True, "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": True, "MaxPasswordAge": 90, "PasswordReusePrevention": 24,
    },
    PRODUCTION: {"MinimumPasswordLength": 8, "RequireNumbers": True, "RequireLowercaseCharacters": True},
}  # fmt: skip
"""The sandbox has none."""

POLICIES = {
    "read-reports": policy({"Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::reports/*"}),
    "full-admin": policy({"Action": "*", "Resource": "*"}),
    "assume-any-role": policy({"Action": "sts:AssumeRole", "Resource": "*"}),
    "everything-but-iam": policy({"NotAction": "iam:*", "Resource": "*"}),
}
POLICIES_IN = {
    MANAGEMENT: ["read-reports"],
    PRODUCTION: ["read-reports", "assume-any-role", "everything-but-iam"],
    SANDBOX: ["full-admin", "assume-any-role"],
}


@dataclass(frozen=True)
class User:
    """A user to make. ``keys``: the state of each access key; a used key has signed one request."""

    name: str
    accounts: Collection[str] = EVERYWHERE
    console: bool = False
    mfa: bool = False
    keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    inline: bool = False


USERS = [
    User("alice", console=True, mfa=True, groups=("admins",)),
    User("bob", accounts={PRODUCTION, SANDBOX}, console=True, keys=("unused",), groups=("developers",)),
    User("ci-deploy", keys=("used", "inactive"), attached=("PowerUserAccess",), accounts={PRODUCTION, SANDBOX}),
    User("ci-reports", keys=("used",), groups=("developers",), accounts={MANAGEMENT}),
    User("former-admin", accounts={SANDBOX}, console=True, keys=("used", "unused"), groups=("admins",)),
    # Names that AWS allows and reports have to survive: tags in mail addresses, spreadsheet formulas.
    User("eve+tag@example.com", accounts={PRODUCTION, SANDBOX}, inline=True, keys=("unused",)),
    User("=1+2,@SUM.example", accounts={SANDBOX}, inline=True),
    User("-dash_first", accounts={PRODUCTION}, mfa=True, console=True),
]

ROLES = [
    ("web-server", trusts(Service="ec2.amazonaws.com"), "AmazonS3ReadOnlyAccess"),
    ("function", trusts(Service="lambda.amazonaws.com"), "CloudWatchLogsReadOnlyAccess"),
    ("log-delivery", trusts(Service="cloudtrail.amazonaws.com"), ""),
    ("cluster", trusts(Service="eks.amazonaws.com"), "AmazonEKSClusterPolicy"),
    ("config", trusts(Service="config.amazonaws.com"), "ReadOnlyAccess"),
]
ROLES_IN = {
    MANAGEMENT: [("support", "", "AWSSupportAccess")],
    PRODUCTION: [("partner", trusts(AWS=STRANGER), "ReadOnlyAccess")],
    SANDBOX: [("anyone", trusts(AWS="*"), "AdministratorAccess")],
}


def build(account: DemoAccount, management_id: str) -> None:
    """Fill the account's IAM. ``management_id``: the account that may assume the audit's role."""
    iam = account.client("iam")
    organization = trusts(AWS=f"arn:aws:iam::{management_id}:root")
    if account.name in PASSWORD_POLICIES:
        iam.update_account_password_policy(**PASSWORD_POLICIES[account.name])
    iam.create_account_alias(AccountAlias=f"auditest-{account.name}")
    for name in POLICIES_IN[account.name]:
        iam.create_policy(PolicyName=name, PolicyDocument=POLICIES[name], Description=f'"{name}" <b>& more</b>')
    _roles(account, organization)
    iam.create_group(GroupName="admins")
    iam.attach_group_policy(GroupName="admins", PolicyArn=AWS_POLICY + "AdministratorAccess")
    iam.create_group(GroupName="developers")
    iam.put_group_policy(GroupName="developers", PolicyName="reports", PolicyDocument=POLICIES["read-reports"])
    for user in USERS:
        if account.name in user.accounts:
            _user(account, user)
    if account.name == SANDBOX:
        iam.attach_group_policy(GroupName="developers", PolicyArn=f"arn:aws:iam::{account.id}:policy/full-admin")
    if account.name == MANAGEMENT:
        account.client("account", "us-east-1").put_alternate_contact(
            AlternateContactType="SECURITY", Name="Security team", Title="CISO", EmailAddress="security@example.com",
            PhoneNumber="+1 555 0100",
        )  # fmt: skip
        iam.create_saml_provider(Name="directory", SAMLMetadataDocument="<EntityDescriptor/>" + " " * 1000)


def _roles(account: DemoAccount, organization: str) -> None:
    iam = account.client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=organization, Description="What the audit assumes")
    for name in ("SecurityAudit", "job-function/ViewOnlyAccess"):
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=AWS_POLICY + name)
    for name, trust, attached in [*ROLES, *ROLES_IN[account.name]]:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust or organization)
        if attached:
            iam.attach_role_policy(RoleName=name, PolicyArn=AWS_POLICY + attached)
    iam.create_instance_profile(InstanceProfileName="web-server")
    iam.add_role_to_instance_profile(InstanceProfileName="web-server", RoleName="web-server")


def _user(account: DemoAccount, user: User) -> None:
    iam = account.client("iam")
    iam.create_user(UserName=user.name, Tags=tags(team='"ops" <script>alert(1)</script>, Zürich'))
    if user.console:
        iam.create_login_profile(UserName=user.name, Password="Correct-Horse-9-Battery")
    if user.mfa:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=user.name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    for state in user.keys:
        key = iam.create_access_key(UserName=user.name)["AccessKey"]
        if state == "used":
            account.emulator.client("sts", "us-east-1", key).get_caller_identity()
        if state == "inactive":
            iam.update_access_key(UserName=user.name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    for group in user.groups:
        iam.add_user_to_group(GroupName=group, UserName=user.name)
    for name in user.attached:
        iam.attach_user_policy(UserName=user.name, PolicyArn=AWS_POLICY + name)
    if user.inline:
        iam.put_user_policy(UserName=user.name, PolicyName="inline", PolicyDocument=POLICIES["read-reports"])
