"""aqscore.aws.s3 as far as it needs no S3: presigned uploads."""

import pytest

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.s3 import S3Client


@pytest.mark.parametrize(
    ("bucket", "url"),
    [
        ("calls", "https://calls.s3.eu-central-1.amazonaws.com/"),
        ("my.calls", "https://s3.eu-central-1.amazonaws.com/my.calls"),
    ],
)
def test_uploads_go_to_the_regions_own_address(monkeypatch, bucket, url):
    """The global address redirects while a bucket is new, and a browser's upload doesn't follow."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    ref = ObjectRef(bucket, "uploads/1", size_bytes=10)
    assert S3Client().presign_upload(ref, "audio/wav", 60)["url"] == url
