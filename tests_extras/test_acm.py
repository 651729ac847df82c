"""AWS Certificate Manager: certificates."""

import pytest

from fixtures.services.acm import Certificate
from plugins.catalog import check


@check(
    "extra724",
    severity="medium",
    remediation="Turn the logging preference on; browsers distrust public certificates that are not logged.",
    command="aws acm update-certificate-options --certificate-arn ARN"
    " --options CertificateTransparencyLoggingPreference=ENABLED",
    url="https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html",
)
def test_certificate_is_transparency_logged(acm_certificate: Certificate) -> str:
    """Public ACM certificates are recorded in certificate transparency logs."""
    if acm_certificate.type != "AMAZON_ISSUED":
        pytest.skip(f"{acm_certificate.label} is {acm_certificate.type}: ACM does not log such certificates")
    if acm_certificate.status != "ISSUED":
        pytest.skip(f"{acm_certificate.label} is not issued but {acm_certificate.status}")
    assert acm_certificate.is_logged, f"{acm_certificate.label}: transparency logging is DISABLED"
    return f"{acm_certificate.label}: transparency logging is ENABLED"


@check(
    "extra730",
    severity="high",
    remediation="Fix the validation that blocks managed renewal, or import the renewed certificate under the same ARN.",
    command="aws acm import-certificate --certificate-arn ARN --certificate fileb://cert.pem"
    " --private-key fileb://key.pem --certificate-chain fileb://chain.pem",
    url="https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
)
def test_certificate_does_not_expire_soon(acm_certificate: Certificate, *, days_to_expire_threshold: int = 7) -> str:
    """ACM certificates do not expire within the next days."""
    certificate, now = acm_certificate, acm_certificate.api.now
    if certificate.status not in ("ISSUED", "EXPIRED") or certificate.expiry is None:
        pytest.skip(f"{certificate.label} is {certificate.status}, nothing to expire")
    when = f"{certificate.expiry:%Y-%m-%d} ({certificate.use})"
    ago, left = (now - certificate.expiry).days, (certificate.expiry - now).days
    assert certificate.expiry > now, f"{certificate.label} expired {ago} days ago, on {when}"
    found = f"{certificate.label} expires in {left} days, on {when}"
    assert left > days_to_expire_threshold, found
    return found
