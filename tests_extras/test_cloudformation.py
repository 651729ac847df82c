"""CloudFormation: outputs of stacks."""

from collections.abc import Sequence

from fixtures.secrets.scanner import Limits, in_pairs
from fixtures.services.cloudformation import Stack
from plugins.catalog import check
from plugins.catalog.checks import PASSWORDS


@check(
    "extra742",
    severity="critical",
    finding_type=PASSWORDS,
    remediation="Drop the output, rotate the secret and pass a Secrets Manager ARN instead.",
    command="aws cloudformation update-stack --stack-name NAME --template-body file://template.yaml",
    url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html",
)
def test_stack_outputs_hold_no_secrets(
    stack: Stack,
    *,
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    secrets_ignore_patterns: Sequence[str] = (),
) -> str:
    """Outputs of CloudFormation stacks hold no secrets."""
    if not stack.outputs:
        return f"{stack.label} has no outputs"
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    found = [f"{name} ({kind})" for name, kind in in_pairs(stack.outputs, limits)]
    assert not found, f"outputs of {stack.label} hold secrets: {', '.join(found)}"
    return f"no secrets in the outputs of {stack.label}, scanned {len(stack.outputs)}"
