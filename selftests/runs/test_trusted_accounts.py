"""--trusted-account reaches the checks, and so do the accounts of the run, in whatever process they are evaluated."""

from __future__ import annotations

import pytest

from selftests.whole_runs import REGIONS, Emulator, Suite

AUDITED = ["111111111111", "222222222222"]
PARTNER, STRANGER = "333333333333", "444444444444"
ARGUMENTS = ["--check=extra790", f"--filter-region={REGIONS[0]}", f"--account={','.join(AUDITED)}", "--role=Audit"]


@pytest.fixture(scope="module")
def partners(emulator: Emulator) -> None:
    """An endpoint service in each audited account that admits the other one, a partner, and once a stranger."""
    for account, other in (AUDITED, AUDITED[::-1]):
        ec2, elb = (emulator.client(service, REGIONS[0], account) for service in ("ec2", "elbv2"))
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        balancer = elb.create_load_balancer(Name="nlb", Type="network", Subnets=[subnet])["LoadBalancers"][0]
        made = ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[balancer["LoadBalancerArn"]])
        admitted = [other, PARTNER, *([STRANGER] if account == AUDITED[1] else [])]
        ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=made["ServiceConfiguration"]["ServiceId"],
            AddAllowedPrincipals=[f"arn:aws:iam::{one}:root" for one in admitted],
        )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_trusted_accounts_reach_the_checks(emulator: Emulator, partners: None, suite: Suite, workers: str) -> None:
    def untrusted(*arguments: str) -> dict[str, list[str]]:
        """Audited account -> the accounts that its endpoint service should not admit."""
        done = suite(*ARGUMENTS, "-n", workers, *arguments, env=emulator.environment)
        assert done.code in (0, 1), done.out + done.err
        return {
            key[1]: [one for one in (*AUDITED, PARTNER, STRANGER) if f"::{one}:root" in text.partition("untrusted")[2]]
            for key, text in done.statuses().items()
        }

    assert untrusted() == {AUDITED[0]: [PARTNER], AUDITED[1]: [PARTNER, STRANGER]}
    trusting = {AUDITED[0]: [], AUDITED[1]: [STRANGER]}
    assert untrusted(f"--trusted-account={PARTNER}") == trusting
    assert untrusted("-o", f"trusted_account=555555555555, {PARTNER}") == trusting
    alone = [f"--account={AUDITED[0]}", f"--trusted-account={PARTNER}"]
    assert untrusted(*alone) == {AUDITED[0]: [AUDITED[1]]}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_replay_trusts_the_recorded_accounts(emulator: Emulator, partners: None, suite: Suite, workers: str) -> None:
    tape = suite.folder / "run.rec"
    trust = ["-n", workers, f"--trusted-account={PARTNER}"]
    live = suite(*ARGUMENTS, *trust, f"--record={tape}", env=emulator.environment)
    replayed = suite("--check=extra790", *trust, f"--replay={tape}")
    assert sorted(text[:4].upper() for text in live.statuses().values()) == ["FAIL", "PASS"]
    assert replayed.statuses() == live.statuses()
