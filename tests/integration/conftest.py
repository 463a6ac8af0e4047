"""One LocalStack for all tests of this folder; two fresh buckets for each."""

import itertools
from collections.abc import Callable
from functools import partial

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from aqscore.aws.s3 import S3Client
from infra.localstack.server import localstack

_numbers = itertools.count()


@pytest.fixture(scope="session")
def client_of(tmp_path_factory) -> Callable[[str], BaseClient]:
    """A client of a service of LocalStack: ``client_of("sns")``."""
    with localstack(tmp_path_factory.mktemp("localstack")) as address:
        yield partial(
            boto3.client,
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )


@pytest.fixture(scope="session")
def s3(client_of) -> BaseClient:
    return client_of("s3")


def bucket(s3, name: str, versioning: bool) -> str:
    name = f"{name}-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def incoming(s3) -> str:
    """A bucket with versioning, as the template makes it."""
    return bucket(s3, "incoming", versioning=True)


@pytest.fixture
def plain_incoming(s3) -> str:
    """A bucket without versioning, as an existing one may be."""
    return bucket(s3, "plain", versioning=False)


@pytest.fixture
def results(s3) -> str:
    """A bucket with versioning, as the template makes it."""
    return bucket(s3, "results", versioning=True)


@pytest.fixture
def s3_client(s3) -> S3Client:
    return S3Client(s3)
