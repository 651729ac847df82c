"""Amazon SQS: queues."""

from fixtures.services.sqs import Queue
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra727",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Name the accounts or the source ARN in the queue policy and drop the wildcard principal.",
    command="aws sqs set-queue-attributes --queue-url URL --attributes file://attributes.json",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
)
def test_queue_policy_is_not_public(queue: Queue) -> str:
    """SQS queue policies do not admit everyone."""
    assert not queue.public_statements, f"{queue.label} admits everyone: {'; '.join(queue.public_statements)}"
    return f"{queue.label} has {'a policy that is not public' if queue.attributes.get('Policy') else 'no policy'}"


@check(
    "extra728",
    severity="medium",
    remediation="Turn on SSE-SQS, or SSE-KMS with a customer managed key where key control is needed.",
    command="aws sqs set-queue-attributes --queue-url URL --attributes SqsManagedSseEnabled=true",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
)
def test_queue_is_encrypted(queue: Queue, *, require_kms: bool = False) -> str:
    """SQS queues are encrypted at rest."""
    if queue.kms_key:
        return f"{queue.label} is encrypted with SSE-KMS, key {queue.kms_key}"
    assert queue.is_encrypted_by_sqs, f"{queue.label} is not encrypted"
    assert not require_kms, f"{queue.label} is encrypted with SSE-SQS, but SSE-KMS is required"
    return f"{queue.label} is encrypted with SSE-SQS"
