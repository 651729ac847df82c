"""fixtures/waf.py."""

from __future__ import annotations

import pytest

from fixtures.waf import waf_generation


@pytest.mark.parametrize(
    ("web_acl", "expected"),
    [
        (None, "none"),
        ("", "none"),
        ("arn:aws:wafv2:us-east-1:123456789012:global/webacl/front/1-2", "WAFv2"),
        ("arn:aws-us-gov:wafv2:us-gov-west-1:123456789012:regional/webacl/front/1-2", "WAFv2"),
        ("11111111-2222-3333-4444-555555555555", "WAF Classic"),
        ("arn:aws:waf-regional:eu-west-1:123456789012:webacl/1-2", "WAF Classic"),
        ("arn:aws:waf::123456789012:webacl/1-2", "WAF Classic"),
        ("arn:aws:s3:::wafv2", "unknown"),
        ("arn:aws", "unknown"),
    ],
)
def test_waf_generation(web_acl: str | None, expected: str) -> None:
    assert waf_generation(web_acl) == expected
