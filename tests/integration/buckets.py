"""Objects in the buckets of these tests."""

from botocore.client import BaseClient

from aqscore.aws.object_ref import ObjectRef


def put(s3: BaseClient, bucket: str, key: str, body: bytes, sequencer: str) -> ObjectRef:
    """Puts an object; returns the reference that its event would contain."""
    answer = s3.put_object(Bucket=bucket, Key=key, Body=body)
    return ObjectRef(bucket, key, answer.get("VersionId"), answer["ETag"].strip('"'), sequencer, len(body))


def stored(s3: BaseClient, bucket: str) -> dict[str, bytes]:
    """All objects of a bucket: key -> content."""
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}
