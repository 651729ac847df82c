"""How well the secrets scanner tells secrets from what is public, on the self-tests' corpus, and what reading costs.

``precision``: of the texts reported, the share that hold a secret; ``recall``: of the texts that hold one, the share reported.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from fixtures.secrets.scanner import Limits, find, in_file, in_pairs
from selftests.fixtures.secrets.corpus import Case, holdout, holdout_2, holdout_3, public_text, public_values, secret

PUBLIC = [*public_text.CASES, *public_values.CASES, *holdout.PUBLIC, *holdout_2.PUBLIC, *holdout_3.PUBLIC]
SECRET = [*secret.CASES, *holdout.SECRET, *holdout_2.SECRET, *holdout_3.SECRET]


def reported(case: Case, limits: Limits = Limits()) -> list[str]:  # noqa: B008
    """The kinds of secrets that the scanner finds in a case."""
    if case.carrier == "env":
        return [kind for _, kind in in_pairs([(case.name, case.text)], limits)]
    if case.carrier == "text":
        return [hit.kind for hit in find(case.text, limits)]
    return [hit.kind for hit in in_file((f"{line}\n".encode() for line in case.text.split("\n")), limits, case.name)]


def labels(cases: Iterable[Case]) -> list[str]:
    """What the cases are called: carrier and name."""
    return [f"{case.carrier} {case.name}" for case in cases]


def measure(public: list[Case] = PUBLIC, secrets: list[Case] = SECRET) -> dict[str, Any]:
    """Precision and recall with what is judged wrongly, and CPU seconds per MB of the corpus."""
    started = time.process_time()
    wrong = [case for case in public if reported(case)]
    missed = [case for case in secrets if not reported(case)]
    spent = time.process_time() - started
    found = len(secrets) - len(missed)
    size = sum(len(case.text.encode()) for case in [*public, *secrets])
    return {
        "public": len(public), "secret": len(secrets), "precision": round(found / max(1, found + len(wrong)), 4),
        "recall": round(found / max(1, len(secrets)), 4), "wrongly_reported": labels(wrong), "missed": labels(missed),
        "kb": round(size / 1000), "cpu_s_per_mb": round(spent / size * 1e6, 3),
    }  # fmt: skip
