"""Amazon ECS: task definitions."""

from collections.abc import Sequence

from fixtures.secrets.scanner import Limits
from fixtures.services.ecs import TaskDefinition, secrets_in, variables
from plugins.catalog import check
from plugins.catalog.checks import PASSWORDS


@check(
    "extra768",
    severity="critical",
    finding_type=PASSWORDS,
    remediation="Move the value to Secrets Manager or Parameter Store, reference it with secrets/valueFrom, deregister"
    " old revisions and rotate the exposed secret.",
    command="aws ecs deregister-task-definition --task-definition FAMILY:REVISION",
    url="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
)
def test_task_definition_has_no_secrets_in_variables(
    task_definition: TaskDefinition,
    *,
    secrets_ignore_patterns: Sequence[str] = (),
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    all_active_revisions: bool = False,
) -> str:
    """ECS task definitions carry no secrets in plain environment variables."""
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    revisions = task_definition.active_revisions if all_active_revisions else [task_definition.latest]
    found = [secret for revision in revisions for secret in secrets_in(revision, limits)]
    assert not found, f"{task_definition.label} holds secrets: {'; '.join(found)}"
    scanned = sum(len(pairs) for revision in revisions for _, pairs in variables(revision))
    looked_at = f"{len(revisions)} active revisions" if all_active_revisions else "latest active revision"
    scanned_variables = f"no secrets in variables, scanned {scanned}" if scanned else "no variables"
    return f"{task_definition.label} ({looked_at}): {scanned_variables}"
