"""Amazon SNS: topics."""

from fixtures.services.sns import Topic
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra731",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Restrict the topic policy to named accounts, an organisation id or a source ARN.",
    command="aws sns set-topic-attributes --topic-arn ARN --attribute-name Policy --attribute-value file://policy.json",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
)
def test_topic_policy_is_not_public(topic: Topic) -> str:
    """SNS topic policies do not admit everyone."""
    assert not topic.public_statements, f"{topic.label} admits everyone: {'; '.join(topic.public_statements)}"
    return f"{topic.label} has {'a policy that is not public' if topic.attributes.get('Policy') else 'no policy'}"
