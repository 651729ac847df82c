"""Answers to the few calls of the suite that moto does not have, in front of it: the sample organization has no gaps.

The management account, whose id is moto's own, does as it should, and the others do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from plugins.demo.account import HOME_REGION

Answer: TypeAlias = dict[str, Any]

SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
"""What a signature says: access key, region, service."""
TIME = "2026-01-05T08:00:00Z"
CONTACT = {
    "FullName": "Example Ltd.", "AddressLine1": "1 High Street", "City": "Dublin", "PostalCode": "D01 AB12",
    "CountryCode": "IE",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A call: of whom, where, and with what."""

    account: str
    region: str
    body: Mapping[str, Any]

    @property
    def is_exemplary(self) -> bool:
        """Whether it is the management account."""
        from moto.core.models import DEFAULT_ACCOUNT_ID

        return self.account == DEFAULT_ACCOUNT_ID


def contact_information(asked: Asked) -> Answer:
    """account:GetContactInformation: without a telephone number in careless accounts."""
    return {"ContactInformation": CONTACT | ({"PhoneNumber": "+353 1 555 0100"} if asked.is_exemplary else {})}


def analyzers(asked: Asked) -> Answer:
    """access-analyzer:ListAnalyzers: one, in each region of the exemplary account."""
    arn = f"arn:aws:access-analyzer:{asked.region}:{asked.account}:analyzer/account"
    one = {"arn": arn, "name": "account", "type": "ACCOUNT", "createdAt": TIME, "status": "ACTIVE"}
    return {"analyzers": [one] if asked.is_exemplary else []}


def analyzer_findings(asked: Asked) -> Answer:
    """access-analyzer:ListFindingsV2: one, in the home region."""
    found = {
        "id": "a1b2c3d4-0000-4000-8000-000000000000", "resource": f"arn:aws:iam::{asked.account}:role/partner",
        "resourceType": "AWS::IAM::Role", "resourceOwnerAccount": asked.account, "status": "ACTIVE",
        "findingType": "ExternalAccess", "analyzedAt": TIME, "createdAt": TIME, "updatedAt": TIME,
    }  # fmt: skip
    return {"findings": [found] if asked.region == HOME_REGION else []}


def enabled_standards(asked: Asked) -> Answer:
    """securityhub:GetEnabledStandards: AWS's own, everywhere."""
    name = "standards/aws-foundational-security-best-practices/v/1.0.0"
    one = {
        "StandardsArn": f"arn:aws:securityhub:{asked.region}::{name}", "StandardsInput": {}, "StandardsStatus": "READY",
        "StandardsSubscriptionArn": f"arn:aws:securityhub:{asked.region}:{asked.account}:{name.replace('standards', 'subscription', 1)}",
    }  # fmt: skip
    return {"StandardsSubscriptions": [one]}


def advisor_summaries(asked: Asked) -> Answer:
    """support:DescribeTrustedAdvisorCheckSummaries: every third check has something to say in careless accounts."""
    return {
        "summaries": [
            _summary(id, "ok" if asked.is_exemplary or sum(id.encode()) % 3 else "error")
            for id in asked.body["checkIds"]
        ]
    }


def _summary(id: str, status: str) -> Answer:
    counts = {
        "resourcesProcessed": 12,
        "resourcesFlagged": 2 * (status != "ok"),
        "resourcesIgnored": 0,
        "resourcesSuppressed": 0,
    }
    return {
        "checkId": id, "timestamp": TIME, "status": status, "hasFlaggedResources": status != "ok",
        "resourcesSummary": counts, "categorySpecificSummary": {},
    }  # fmt: skip


ANSWERS: dict[tuple[str, str], Callable[[Asked], Answer]] = {
    ("account", "/getContactInformation"): contact_information,
    ("access-analyzer", "/analyzer"): analyzers,
    ("access-analyzer", "/findingv2"): analyzer_findings,
    ("securityhub", "/standards/get"): enabled_standards,
    ("support", "AWSSupport_20130415.DescribeTrustedAdvisorCheckSummaries"): advisor_summaries,
}
"""Service and path, or target -> the answer."""


def answer(environ: dict[str, Any]) -> bytes | None:
    """The answer to a WSGI request as JSON, None when it is moto's to give. Reads the body of what it answers alone."""
    found = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    key, region, service = found.groups()
    given = ANSWERS.get((service, environ.get("HTTP_X_AMZ_TARGET") or environ["PATH_INFO"]))
    if given is None:
        return None
    from moto.iam.models import get_account_id_from

    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return json.dumps(given(Asked(get_account_id_from(key), region, json.loads(body or b"{}")))).encode()
