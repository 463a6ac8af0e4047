"""Pins the base image to the digest that its tag has now: ``python -m infra.image.base`` (make base-image).

A pinned image is built from the same base everywhere, and gets AWS's security updates only with a new digest.
"""

import json
import os
import re
import urllib.request
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parents[2] / "function" / "Dockerfile"
PIN = re.compile(
    r"^ARG BASE=(?P<host>[^/\s]+)/(?P<name>[^:\s]+):(?P<tag>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})$", re.M
)
# An index of the images for all processors; a digest of one image would fit one processor only.
INDEX = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
TIMEOUT_S = 30


def base_image() -> str:
    """The base image: that of function/Dockerfile, or AQSCORE_BASE_IMAGE where another stands in for it."""
    pinned = _pin(DOCKERFILE.read_text())[0].removeprefix("ARG BASE=")
    return os.environ.get("AQSCORE_BASE_IMAGE") or pinned


def current_digest(registry: str, name: str, tag: str) -> str:
    """The digest of a tag. ``registry`` is an address such as https://public.ecr.aws.

    https://distribution.github.io/distribution/spec/api/#existing-manifests, with a token that anyone gets
    (https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html). Raises OSError.
    """
    with urllib.request.urlopen(
        f"{registry}/token/?scope=repository:{name}:pull", timeout=TIMEOUT_S
    ) as answer:
        token = json.load(answer)["token"]
    asked = urllib.request.Request(
        f"{registry}/v2/{name}/manifests/{tag}",
        headers={"Authorization": f"Bearer {token}", "Accept": INDEX},
        method="HEAD",
    )
    with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
        return str(answer.headers["Docker-Content-Digest"])


def renewed(dockerfile: str, digest: str) -> str:
    """The text of the Dockerfile with that digest. Raises ValueError for one that is no SHA-256."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"The registry answered the digest {digest!r}, expected a SHA-256.")
    return dockerfile.replace(_pin(dockerfile)["digest"], digest)


def _pin(dockerfile: str) -> re.Match[str]:
    pin = PIN.search(dockerfile)
    if pin is None:
        raise ValueError("function/Dockerfile has no line ARG BASE=HOST/NAME:TAG@sha256:DIGEST.")
    return pin


def main() -> None:
    text = DOCKERFILE.read_text()
    pin = _pin(text)
    digest = current_digest(f"https://{pin['host']}", pin["name"], pin["tag"])
    DOCKERFILE.write_text(renewed(text, digest))
    print(
        f"{pin['name']}:{pin['tag']} is {digest}" + (", as before" if digest == pin["digest"] else ": pinned")
    )


if __name__ == "__main__":
    main()
