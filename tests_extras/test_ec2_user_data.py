"""User data: what instances, launch configurations and launch templates tell everyone who may describe them."""

from collections.abc import Sequence

from fixtures.secrets.scanner import Limits, described, find
from fixtures.services.autoscaling import LaunchDefinition
from fixtures.services.ec2.instances import Instance
from plugins.catalog import check
from plugins.catalog.checks import DATA_EXPOSURE


@check(
    "extra741",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Take the secret out, rotate it, and let the instance fetch it from Secrets Manager or Parameter Store"
    " by its role. Replace user data while the instance is stopped.",
    command="aws ec2 modify-instance-attribute --instance-id INSTANCE_ID --user-data Value=",
    url="https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html",
)
def test_instance_user_data_holds_no_secrets(
    instance: Instance,
    *,
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    secrets_ignore_patterns: Sequence[str] = (),
) -> str:
    """EC2 instance user data holds no secrets."""
    if not instance.user_data:
        return f"{instance.label} has no user data"
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    hits = find(instance.user_data, limits)
    assert not hits, f"the user data of {instance.label} holds secrets: {described(hits)}"
    return f"the user data of {instance.label} was scanned and holds no secrets"


@check(
    "extra775",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Create a new version without the secret, point the group to it, delete the old ones and rotate the"
    " secret; read secrets at boot from Secrets Manager.",
    command="aws autoscaling delete-launch-configuration --launch-configuration-name NAME",
    url="https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html",
)
def test_launch_definition_user_data_holds_no_secrets(
    launch_definition: LaunchDefinition,
    *,
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    secrets_ignore_patterns: Sequence[str] = (),
) -> str:
    """Launch configurations and launch templates hold no secrets in user data."""
    if not launch_definition.user_data:
        return f"{launch_definition.label} has no user data"
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    found = [
        f"{which}: {described(hits)}" if which else described(hits)
        for which, text in launch_definition.user_data
        if (hits := find(text, limits))
    ]
    assert not found, f"the user data of {launch_definition.label} holds secrets: {'; '.join(found)}"
    return f"the user data of {launch_definition.label} was scanned and holds no secrets"
