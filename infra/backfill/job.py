"""Backfill by S3 Batch Operations: one job, with one call of the function for each object.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
"""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

ENDED = {"Complete", "Failed", "Cancelled"}
PRIORITY = 10
POLL_S = 5


def upload_manifest(s3: BaseClient, path: Path, bucket: str) -> dict[str, str]:
    """Uploads the manifest to the backfill bucket; returns the ManifestLocation that CreateJob expects."""
    key = f"manifests/{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.csv"
    s3.upload_file(str(path), bucket, key)
    etag = s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    return {"ObjectArn": f"arn:{s3.meta.partition}:s3:::{bucket}/{key}", "ETag": etag}


def request(
    outputs: dict[str, str], account: str, location: dict[str, str], *, rescore: bool, description: str
) -> dict[str, Any]:
    """The CreateJob request. ``outputs`` are the stack's; ``rescore`` includes objects that have a result."""
    operation: dict[str, Any] = {
        "FunctionArn": outputs["FunctionAlias"],
        "InvocationSchemaVersion": "2.0",
    }
    if rescore:
        operation["UserArguments"] = {"rescore": "true"}
    return {
        "AccountId": account,
        "ConfirmationRequired": False,
        "Operation": {"LambdaInvoke": operation},
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": location,
        },
        "Report": {
            "Bucket": location["ObjectArn"].partition("/")[0],
            "Prefix": "reports",
            "Format": "Report_CSV_20180820",
            "Enabled": True,
            "ReportScope": "FailedTasksOnly",
        },
        "RoleArn": outputs["BackfillRoleArn"],
        "Priority": PRIORITY,
        "ClientRequestToken": uuid.uuid4().hex,
        "Description": description,
    }


def follow(
    control: BaseClient, account: str, job_id: str, poll_s: float = POLL_S
) -> Iterator[dict[str, Any]]:
    """Yields the job's description every ``poll_s`` seconds, until the job has ended."""
    while True:
        job = control.describe_job(AccountId=account, JobId=job_id)["Job"]
        yield job
        if job["Status"] in ENDED:
            return
        time.sleep(poll_s)
