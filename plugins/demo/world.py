"""The sample organization of ``pytest --demo``: three accounts in an emulator, with good and bad resources."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor

from plugins.demo import data, edge, endpoints, identity, logging, network
from plugins.demo.account import HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS, SANDBOX, DemoAccount, Emulator

MANAGEMENT_CREDENTIALS = {"AccessKeyId": "AKIADEMOMANAGEMENT00", "SecretAccessKey": "demo"}
"""The emulator takes every key that it does not know for one of its own, the management, account."""

SEED = 1202
"""Makes the account ids the same in every run: nothing random happens between it and the accounts."""


def fill(url: str) -> dict[str, str]:
    """Make the organization in the empty emulator behind ``url``. Gives account ids by account name."""
    emulator = Emulator(url)
    accounts = organization(emulator)
    # One thread per account: what an account's later parts refer to is there, and the emulator, one process, is busy.
    pool = ThreadPoolExecutor(len(accounts))
    try:
        list(pool.map(lambda account: build(account, accounts[0].id), accounts))
    finally:
        pool.shutdown(wait=False)  # after Ctrl-C nobody waits for the rest
    return {account.name: account.id for account in accounts}


def organization(emulator: Emulator) -> list[DemoAccount]:
    """The accounts, the management account first."""
    organizations = emulator.client("organizations", "us-east-1", MANAGEMENT_CREDENTIALS)
    sts = emulator.client("sts", "us-east-1", MANAGEMENT_CREDENTIALS)
    master = organizations.create_organization(FeatureSet="ALL")["Organization"]["MasterAccountId"]
    seed = urllib.request.Request(f"{emulator.url}/moto-api/seed?a={SEED}", method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(seed, timeout=10).close()
    accounts = [DemoAccount(emulator, MANAGEMENT, master, MANAGEMENT_CREDENTIALS)]
    for name in (PRODUCTION, SANDBOX):
        made = organizations.create_account(AccountName=name, Email=f"aws+{name}@example.com")["CreateAccountStatus"]
        role = f"arn:aws:iam::{made['AccountId']}:role/OrganizationAccountAccessRole"
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="demo")["Credentials"]
        accounts.append(DemoAccount(emulator, name, made["AccountId"], credentials))
    return accounts


def build(account: DemoAccount, management_id: str) -> None:
    """Fill one account. The order matters: trails want buckets and keys, instances want profiles."""
    identity.build(account, management_id)
    data.build(account)
    for region in (HOME_REGION, *(region for region in REGIONS if region != HOME_REGION)):
        logging.build_region(account, region)
        network.build_region(account, region)
        data.build_region(account, region)
        edge.build_region(account, region)
    logging.build(account)
    edge.build(account)
    endpoints.build(account, management_id)
