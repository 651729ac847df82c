"""The profile of the hostile-input tests: the same few hundred examples on every machine, none of them slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

bounded = settings(
    max_examples=150, deadline=2000, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
"""A single example that takes more than two seconds is a failure: no input may hang an audit."""
