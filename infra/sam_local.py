"""Runs `sam local invoke` without an account: ``python -m infra.sam_local tests/events/direct.json``.

The function runs in the image that `sam build` made. LocalStack provides S3 with the recording that the
event names. Prints the function's response.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.localstack.install import ROOT, SAM
from infra.localstack.server import localstack
from infra.localstack.stack import client, with_line

BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
RECORDING = ROOT / "examples" / "clean.flac"
# As in the sample events in tests/events.
INCOMING = "aqscore-incoming-123456789012-eu-central-1"
RESULTS = "aqscore-results-123456789012-eu-central-1"
KEY = "recordings/first call.wav"
REGION = "eu-central-1"
VERSION_FIELDS = {"versionId", "version-id", "s3VersionId", "version_id"}
ETAG_FIELDS = {"eTag", "etag"}


class SamLocal:
    """S3 with one recording, and `sam local invoke` for the function of a built template."""

    def __init__(self, address: str, built: Path, folder: Path) -> None:
        """``address`` is S3's; ``folder`` gets the template and variables that SAM reads."""
        self.s3 = client(address, "s3")
        for bucket in (INCOMING, RESULTS):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        put = self.s3.put_object(Bucket=INCOMING, Key=KEY, Body=RECORDING.read_bytes())
        self._version_id, self._etag = put["VersionId"], put["ETag"].strip('"')
        self._template, self._variables = folder / "template.yaml", folder / "variables.json"
        # The AWS SDK reads S3's address from this variable.
        endpoint = f"  AWS_ENDPOINT_URL: {address}"
        self._template.write_text(with_line(built.read_text(), "Variables:", endpoint))
        names = {"AQSCORE_INCOMING_BUCKET": INCOMING, "AQSCORE_RESULTS_BUCKET": RESULTS}
        self._variables.write_text(json.dumps({"Parameters": names}))

    def invoke(self, event: Any) -> Any:
        """The function's response to an event, in which version and ETag are replaced by the recording's.

        Raises RuntimeError with the output of SAM when there is no response.
        """
        command: list[str | Path] = [SAM, "local", "invoke", "Function", "--event", "-", "--skip-pull-image"]
        done = subprocess.run(
            [*command, "--template", self._template, "--env-vars", self._variables],
            input=json.dumps(self.fitted(event)),
            env=os.environ
            | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}
            | {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise RuntimeError(f"sam local invoke returned no response: {done.stderr}")
        return json.loads(done.stdout)

    def fitted(self, value: Any) -> Any:
        """The event with the version and ETag of the recording, also inside a message of SQS or SNS."""
        if isinstance(value, dict):
            return {name: self._field(name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.fitted(each) for each in value]
        return value

    def _field(self, name: str, value: Any) -> Any:
        if name in VERSION_FIELDS and value:
            return self._version_id
        if name in ETAG_FIELDS:
            return self._etag
        if name in ("body", "Message") and isinstance(value, str) and value.startswith("{"):
            return json.dumps(self.fitted(json.loads(value)))
        return self.fitted(value)


@contextmanager
def sam_local(built: Path = BUILT) -> Iterator[SamLocal]:
    """Provides S3 and the function for the duration of the block. Raises RuntimeError before `sam build`."""
    if not built.exists():
        raise RuntimeError(f"There is no {built.name} in {built.parent}. Build the function first: sam build")
    with (
        tempfile.TemporaryDirectory(prefix="aqscore-sam-") as folder,
        localstack(Path(folder), host=_own_address()) as address,
    ):
        yield SamLocal(address, built, Path(folder))


def _own_address() -> str:
    """This machine's address, which containers of any engine can reach. Sends no packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
        return probe.getsockname()[0]


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("Name an event: python -m infra.sam_local tests/events/direct.json")
    with sam_local() as function:
        print(json.dumps(function.invoke(json.loads(Path(sys.argv[1]).read_text())), indent=2))


if __name__ == "__main__":
    main()
