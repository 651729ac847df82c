"""AWS Certificate Manager: certificates."""

import pytest

from fixtures.services.acm import Certificate
from plugins.catalog import check


@check(
    "extra724",
    severity="medium",
    remediation="None is needed: since 2026-06-12 ACM records every public certificate, and the preference has no effect.",
    url="https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html",
)
def test_certificate_is_transparency_logged(acm_certificate: Certificate) -> str:
    """Public ACM certificates are recorded in certificate transparency logs.

    Obsolete: since 2026-06-12 nobody can opt out, so nothing fails.
    """
    if acm_certificate.type != "AMAZON_ISSUED":
        pytest.skip(f"{acm_certificate.label} is {acm_certificate.type}: ACM does not log such certificates")
    if acm_certificate.status != "ISSUED":
        pytest.skip(f"{acm_certificate.label} is not issued but {acm_certificate.status}")
    if acm_certificate.opted_out:
        pytest.skip(
            f"{acm_certificate.label} was issued with transparency logging DISABLED, which ACM offers no more: it records"
            " every public certificate that it issues or renews"
        )
    return f"{acm_certificate.label}: ACM records every public certificate"


@check(
    "extra730",
    severity="high",
    remediation="Fix the validation that blocks managed renewal, or import the renewed certificate under the same ARN.",
    command="aws acm import-certificate --certificate-arn ARN --certificate fileb://cert.pem"
    " --private-key fileb://key.pem --certificate-chain fileb://chain.pem",
    url="https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
)
def test_certificate_does_not_expire_soon(acm_certificate: Certificate, *, days_to_expire_threshold: int = 7) -> str:
    """ACM certificates do not expire within the next days.

    Of certificates that came by ACME for the same names, the newest counts, and those in use.
    """
    certificate, now = acm_certificate, acm_certificate.api.now
    if certificate.status not in ("ISSUED", "EXPIRED") or certificate.expiry is None:
        pytest.skip(f"{certificate.label} is {certificate.status}, nothing to expire")
    when = f"{certificate.expiry:%Y-%m-%d} ({certificate.use})"
    ago, left = (now - certificate.expiry).days, (certificate.expiry - now).days
    expired = certificate.expiry <= now
    found = f"{certificate.label} " + (
        f"expired {ago} days ago, on {when}" if expired else f"expires in {left} days, on {when}"
    )
    if not expired and left > days_to_expire_threshold:
        return found
    if certificate.successor:
        pytest.skip(f"{found}; its ACME client has replaced it by {certificate.successor}")
    pytest.fail(found)
