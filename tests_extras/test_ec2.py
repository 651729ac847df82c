"""EC2: instances, volumes, snapshots, images and Elastic IP addresses."""

import pytest

from fixtures.services.ec2.ebs import EbsSettings, Image, Snapshot, Volume
from fixtures.services.ec2.instances import ElasticIp, Instance
from plugins.catalog import check
from plugins.catalog.checks import DATA_EXPOSURE, NETWORK_REACHABILITY

PATCHING = "https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html"


@check(
    "extra757",
    severity="medium",
    remediation="Rebuild long-running instances from a current image, or show that they are patched.",
    command="aws ssm describe-instance-patch-states --instance-ids INSTANCE_ID",
    url=PATCHING,
)
def test_instance_was_launched_within_6_months(instance: Instance, *, ec2_instance_age_days_short: int = 180) -> str:
    """Running EC2 instances were launched within the last 6 months."""
    found = f"{instance.label} was launched on {instance.launched:%Y-%m-%d}, {instance.age} days ago"
    if instance.state not in ("pending", "running"):
        pytest.skip(f"{found}: the age of an instance that does not run is not judged")
    assert instance.age <= ec2_instance_age_days_short, f"{found}; the limit is {ec2_instance_age_days_short}"
    return f"{found}; the limit is {ec2_instance_age_days_short}"


@check(
    "extra758",
    severity="medium",
    remediation="Rebuild long-running instances from a current image, or show that they are patched.",
    command="aws ssm describe-instance-patch-states --instance-ids INSTANCE_ID",
    url=PATCHING,
)
def test_instance_was_launched_within_12_months(instance: Instance, *, ec2_instance_age_days_long: int = 365) -> str:
    """Running EC2 instances were launched within the last 12 months."""
    found = f"{instance.label} was launched on {instance.launched:%Y-%m-%d}, {instance.age} days ago"
    if instance.state not in ("pending", "running"):
        pytest.skip(f"{found}: the age of an instance that does not run is not judged")
    assert instance.age <= ec2_instance_age_days_long, f"{found}; the limit is {ec2_instance_age_days_long}"
    return f"{found}; the limit is {ec2_instance_age_days_long}"


@check(
    "extra770",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Take the public address away or detach the profile; if both are needed, cut the role down and require"
    " IMDSv2.",
    command="aws ec2 disassociate-iam-instance-profile --association-id ASSOCIATION_ID",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
)
def test_public_instance_has_no_profile(instance: Instance) -> str:
    """Internet-facing EC2 instances carry no instance profile."""
    if not instance.instance_profile:
        return f"{instance.label} has no instance profile"
    profile, addresses = instance.data["IamInstanceProfile"]["Arn"], instance.public_addresses
    if not addresses:
        return f"{instance.label} has no public address"
    refusal, failure = instance.refusal
    found = f"{instance.label} has the public addresses {', '.join(addresses)} and the profile {profile}"
    assert refusal, "; ".join(filter(None, (found, failure)))
    return f"{found}, but {refusal}"


@check(
    "extra710",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Move the instance to a private subnet and publish it through a load balancer with a web ACL.",
    command="aws ec2 disassociate-address --association-id ASSOCIATION_ID",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
)
def test_instance_is_not_reachable_from_the_internet(instance: Instance) -> str:
    """EC2 instances are not directly reachable from the internet."""
    addresses, name = instance.public_addresses, instance.data.get("PublicDnsName")
    shown = ", ".join(addresses) + (f" ({name})" if name else "")
    if not addresses:
        return f"{instance.label} has no public address"
    refusal, failure = instance.refusal
    found = f"{instance.label} has the public addresses {shown}"
    assert refusal, "; ".join(filter(None, (found, failure)))
    return f"{found}, but {refusal}"


@check(
    "extra761",
    severity="medium",
    remediation="Turn default encryption on in each region, with a customer managed key where needed.",
    command="aws ec2 enable-ebs-encryption-by-default --region REGION",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
)
def test_ebs_encrypts_by_default(ebs_settings: EbsSettings) -> str:
    """Default encryption of new EBS volumes is on in every region."""
    assert ebs_settings.encrypts_by_default, f"default encryption is off in {ebs_settings.region}"
    return f"default encryption is on in {ebs_settings.region}"


@check(
    "extra786",
    severity="medium",
    remediation="Require session tokens after making sure the software on the instance uses IMDSv2; set the account"
    " default for new instances.",
    command="aws ec2 modify-instance-metadata-options --instance-id INSTANCE_ID --http-tokens required"
    " --http-endpoint enabled",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
)
def test_instance_requires_imdsv2(instance: Instance) -> str:
    """EC2 instances accept IMDSv2 only or have the metadata service off."""
    options = instance.data.get("MetadataOptions") or {}
    found = f"{instance.label}: " + ", ".join(
        f"{key} {options.get(key, 'not given')}" for key in ("HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit")
    )
    assert options.get("HttpTokens") == "required" or options.get("HttpEndpoint") == "disabled", found
    return found


@check(
    "extra72",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Remove the public permission and share with named accounts only; then block public sharing for the"
    " account.",
    command="aws ec2 modify-snapshot-attribute --snapshot-id SNAPSHOT_ID --attribute createVolumePermission"
    " --operation-type remove --group-names all",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",
)
def test_snapshot_is_not_public(snapshot: Snapshot) -> str:
    """EBS snapshots are not shared with everyone."""
    if snapshot.is_encrypted:
        return f"{snapshot.label} is encrypted and so cannot be public"
    accounts = [entry["UserId"] for entry in snapshot.permissions if entry.get("UserId")]
    if any(entry.get("Group") == "all" for entry in snapshot.permissions):
        block, failure = snapshot.sharing_block
        assert block, "; ".join(filter(None, (f"{snapshot.label} is public", failure)))
        return f"{snapshot.label} is shared with everyone, but {block}; without the block, it is public again"
    return f"{snapshot.label} is not public; it is shared with {len(accounts)} accounts"


@check(
    "extra729",
    severity="medium",
    remediation="Snapshot the volume, copy the snapshot encrypted, create a volume from the copy and swap it in; turn on"
    " default encryption.",
    command="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id SNAPSHOT_ID --encrypted",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
)
def test_volume_is_encrypted(volume: Volume) -> str:
    """EBS volumes are encrypted."""
    assert volume.is_encrypted, f"{volume.label} is not encrypted"
    return f"{volume.label} is encrypted with {volume.data.get('KmsKeyId', 'a key not named')}"


@check(
    "extra740",
    severity="medium",
    remediation="Copy the snapshot with encryption and delete the plain one; turn on default encryption.",
    command="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id SNAPSHOT_ID --encrypted",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
)
def test_snapshot_is_encrypted(snapshot: Snapshot) -> str:
    """EBS snapshots are encrypted."""
    found = f"{snapshot.label}, begun on {snapshot.data['StartTime']:%Y-%m-%d},"
    assert snapshot.is_encrypted, f"{found} is not encrypted"
    return f"{found} is encrypted with {snapshot.data.get('KmsKeyId', 'a key not named')}"


@check(
    "extra76",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Remove the public launch permission and share with named accounts or the organization; block public"
    " sharing of images.",
    command='aws ec2 modify-image-attribute --image-id IMAGE_ID --launch-permission "Remove=[{Group=all}]"',
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html",
)
def test_image_is_not_public(image: Image) -> str:
    """AMIs owned by the account are not public."""
    assert not image.data["Public"], f"{image.label} is public"
    return f"{image.label} is not public"


@check(
    "extra772",
    severity="low",
    remediation="Release addresses nobody needs, after checking DNS records and allow-lists that name them.",
    command="aws ec2 release-address --allocation-id ALLOCATION_ID",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html",
)
def test_elastic_ip_is_associated(elastic_ip: ElasticIp) -> str:
    """Elastic IP addresses are associated with something."""
    assert elastic_ip.used_by, f"{elastic_ip.label} is not associated with anything"
    return f"{elastic_ip.label} is associated with {elastic_ip.used_by}"
