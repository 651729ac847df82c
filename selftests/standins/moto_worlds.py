"""What moto makes anew for each world and is always the same, made once per process.

A world with AWS's 1,500 managed policies takes moto 150 ms for each partition of each account, and it looks into all
partitions of all accounts with every call; at its end it builds all that it had a second time, to throw it away. A client
of a new boto3 session reads the model of its service (EC2: 300 ms). Here policies and models are read once, and copied or
shared. Amazon's own machine images (100 ms for each region) are left out: no check looks at them.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
import msgspec
from botocore.loaders import Loader
from botocore.session import Session

from fixtures.api.light_clients import FastFiles


def lighten() -> None:
    """Make the worlds of this process cheap. Must come before its first world; does no harm twice."""
    from moto import settings
    from moto.iam import models

    settings.ec2_load_default_amis = lambda: False
    setattr(models.IAMBackend, "_init_aws_policies", _managed_policies)  # noqa: B010 - of other types, to mypy
    models.get_account_id_from = _account_of


@functools.lru_cache(maxsize=1)
def _all_policies() -> list[Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    data = msgspec.json.decode(aws_managed_policies_data)
    return [AWSManagedPolicy.from_data(name, "", "aws", one) for name, one in data.items()]


def _managed_policies(backend: Any) -> list[Any]:
    """For IAMBackend._init_aws_policies: policies of the account's own, since they count to what they are attached."""
    from moto.settings import load_iam_aws_managed_policies

    if not load_iam_aws_managed_policies():
        return []
    found = [copy.copy(policy) for policy in _all_policies()]
    for policy in found:
        policy.account_id, policy.partition, policy.tags = backend.account_id, backend.partition, {}
    if backend.partition != "aws":
        for policy in found:
            policy.versions = [copy.copy(version) for version in policy.versions]
            for version in policy.versions:
                version.policy_arn = policy.arn
    return found


def _account_of(access_key: str) -> str:
    """For moto.iam.models.get_account_id_from: as there, without making an IAM for partitions that have none yet."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        if any(access_key in iam.access_keys for iam in list(partitions.values())):
            return str(account)
    return str(DEFAULT_ACCOUNT_ID)


@functools.lru_cache(maxsize=1)
def _models() -> Loader:
    return Loader(file_loader=FastFiles())


def light_session(**credentials: str) -> boto3.Session:
    """A boto3 session that shares the models of services; ``credentials`` as boto3.Session takes them."""
    session, models = Session(), _models()
    session.register_component("data_loader", models)
    made = boto3.Session(botocore_session=session, **credentials)
    models.search_paths[:] = dict.fromkeys(models.search_paths)  # to which each session adds boto3's own folder
    return made


def _forget(backend: Any) -> None:
    """For BaseBackend.reset: what is thrown away next need not be built again."""
    backend.__dict__ = {}


@contextmanager
def world() -> Iterator[None]:
    """A fresh emulated AWS in this process, with AWS's managed policies; boto3's functions lead to it."""
    from moto import mock_aws
    from moto.core.base_backend import BaseBackend

    lighten()
    mocked = mock_aws(config={"iam": {"load_aws_managed_policies": True}})
    mocked.start()
    try:
        with mock.patch("boto3.DEFAULT_SESSION", light_session()):
            yield
    finally:
        with mock.patch.object(BaseBackend, "reset", _forget):
            mocked.stop()
