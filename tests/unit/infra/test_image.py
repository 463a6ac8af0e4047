"""infra/image/trim.py: the trimmed packages work, and outdated lists stop the build."""

import re
import shutil
import subprocess
import sys

import botocore
import pytest

from infra.image.trim import remove, trim_botocore, without_documentation
from tests.conftest import ROOT


@pytest.fixture
def packages(tmp_path):
    """botocore's data as it is installed, for three services."""
    installed, data = f"{botocore.__path__[0]}/data", tmp_path / "botocore" / "data"
    for service in ("s3", "sqs", "sts"):
        shutil.copytree(f"{installed}/{service}", data / service)
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        shutil.copy(f"{installed}/{name}.json", data)
    return tmp_path


def test_a_client_of_trimmed_descriptions_signs_the_same_request(packages):
    """In a region of another partition, whose endpoint has another suffix."""
    before = presigned(None)
    trim_botocore(packages / "botocore" / "data", {"s3"})
    assert sorted(path.name for path in (packages / "botocore" / "data").iterdir() if path.is_dir()) == ["s3"]
    assert presigned(packages / "botocore" / "data") == before


def presigned(data) -> str:
    """A presigned URL without its signature, by a client that reads ``data`` instead of botocore's own."""
    replace = f"botocore.loaders.Loader.BUILTIN_DATA_PATH = {str(data)!r}; " if data else ""
    code = (
        f"import botocore.loaders; {replace}import boto3; "
        "print(boto3.client('s3', 'cn-north-1').generate_presigned_url('get_object', "
        "Params={'Bucket': 'calls', 'Key': 'a b'}))"
    )
    environment = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return re.sub(r"(Signature|Expires|Date)=[^&]*", "", done.stdout)


def test_an_unknown_service_stops_the_build(packages):
    with pytest.raises(FileNotFoundError, match="no service called s4"):
        trim_botocore(packages / "botocore" / "data", {"s3", "s4"})


def test_a_pattern_without_a_match_stops_the_build(tmp_path):
    with pytest.raises(FileNotFoundError, match="correct the list"):
        remove(tmp_path, ["numpy/**/tests"])


def test_members_named_documentation_are_kept():
    members = {"documentation": {"shape": "String", "documentation": "<p>"}}
    trimmed = without_documentation([{"documentation": "<p>", "members": members}])
    assert trimmed == [
        {"documentation": "", "members": {"documentation": {"shape": "String", "documentation": ""}}}
    ]


def test_the_image_keeps_every_service_that_the_function_calls():
    """A missing service would raise UnknownServiceError in Lambda only."""
    sources = "".join(path.read_text() for path in (ROOT / "function").rglob("*.py"))
    called = set(re.findall(r"""\bclient\(\s*["']([a-z0-9-]+)["']""", sources))
    kept = [
        set(words.split())
        for words in re.findall(r"trim\.py /packages (.*?) \\", (ROOT / "function/Dockerfile").read_text())
    ]
    assert called
    assert kept == [called, called]
