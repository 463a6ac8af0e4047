"""A fault run, from the first upload to the check of every result."""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from infra.soak.chaos import Killer, Relay, in_background, poll_faster, shorten_retries
from infra.soak.proxy import fault_proxy
from infra.soak.recordings import Change, Dropped, recordings
from infra.waiting import Backlog, wait_until

SHARE = 0.05  # of the requests, for each kind of fault
UPLOADERS = 4
POISON = (
    "Hello, is this the queue?",
    '{"an event": "of no known kind"}',
    "[]",
    '{"Records": [{"eventSource": "aws:s3"}]}',
)
TEST_EVENT = '{"Service": "Amazon S3", "Event": "s3:TestEvent"}'


@dataclass
class Findings:
    """The findings of a run. ``wrong`` describes every result that differs from the expected one."""

    objects: int
    versions: int
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def dead_letters_are_expected(self) -> bool:
        return sorted(self.dead_letters) == sorted(POISON)


def run(objects: int, seed: int, logs: Path, *, pollers: int = 4, hidden_s: int = 60, attempts: int = 5,
        pause_s: float = 8, limit_s: float = 3600) -> Findings:  # fmt: skip
    """Uploads recordings into a stack of their own, injects faults, and checks each result.

    ``hidden_s`` is the queue's visibility timeout, ``attempts`` its maximum of receives, ``pause_s`` the mean
    time between two kills.
    """
    dropped = recordings(objects, seed)
    findings = Findings(objects, sum(len(each.bodies) for each in dropped.values()))
    with ExitStack() as started:
        address = started.enter_context(localstack(logs))
        stack = deploy(address)
        proxy = started.enter_context(fault_proxy(address.removeprefix("http://"), SHARE, seed))
        shorten_retries(stack, hidden_s, attempts)
        relay, killer = Relay(stack, seed), Killer(logs, pause_s, max(5, objects // 5), seed)
        poll_faster(stack, pollers, proxy.address, attempts)
        began = time.monotonic()
        with in_background(killer.run):
            try:
                with in_background(relay.run):
                    versions = _drop(stack, dropped, seed)
                    relay.finish()
                _wait(stack, findings, limit_s)
                _ask_for_current_versions(stack, dropped)
                _wait(stack, findings, limit_s)
            finally:
                killer.stop()
        findings.seconds = time.monotonic() - began
        _check(stack, dropped, versions, findings)
    events = Counter({"events": relay.sent, "by SNS": relay.sent_by_sns, "kills": killer.killed})
    findings.counts += proxy.counts + events
    findings.counts += _metrics(logs)
    return findings


def _drop(stack: Stack, dropped: dict[str, Dropped], seed: int) -> dict[str, list[str]]:
    """Uploads and changes all objects in random order, and sends the poison messages.

    Returns key -> the versions that were uploaded.
    """
    draw = random.Random(seed)
    versions: dict[str, list[str]] = defaultdict(list)
    steps: list[tuple[str, Callable[[], None]]] = []
    for key, each in dropped.items():
        place = 0
        for step in _steps(stack, key, each, versions[key]):  # those of one object in their order
            place = draw.randrange(place, len(steps) + 1)
            steps.insert(place, (key, step))
            place += 1
    for message in (*POISON, TEST_EVENT):
        stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=message)
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        running: dict[str, Future[None]] = {}
        for key, step in steps:
            if key in running:
                running[key].result()
            running[key] = uploaders.submit(step)
        for last in running.values():
            last.result()
    return versions


def _steps(stack: Stack, key: str, each: Dropped, versions: list[str]) -> list[Callable[[], None]]:
    """The requests that upload and change one object. Uploads add to its ``versions``."""

    def upload(content: bytes, options: dict[str, str]) -> None:
        versions.append(stack.upload(key, content, **options))

    def delete_newest() -> None:
        stack.s3.delete_object(Bucket=stack.incoming_bucket, Key=key, VersionId=versions[-1])

    def restore() -> None:
        stack.s3.restore_object(Bucket=stack.incoming_bucket, Key=key, RestoreRequest={"Days": 1})

    last = {Change.NONE: [], Change.RESTORED: [restore], Change.ROLLED_BACK: [delete_newest]}
    return [partial(upload, body.content, dict(body.options)) for body in each.bodies] + last[each.change]


def _ask_for_current_versions(stack: Stack, dropped: dict[str, Dropped]) -> None:
    """Sends a message about each object whose newest version was deleted: S3 sends no event about it."""
    for key, each in dropped.items():
        if each.change is Change.ROLLED_BACK:
            message = json.dumps({"bucket": stack.incoming_bucket, "key": key})
            stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=message)


def _wait(stack: Stack, findings: Findings, limit_s: float) -> None:
    """Waits until the queue is empty.

    Collects the poison messages in the dead-letter queue, and redrives the other messages in it.
    """
    backlog = Backlog(stack.sqs, stack.queue_url)

    def is_empty() -> bool:
        answer = stack.sqs.receive_message(QueueUrl=stack.dead_letter_queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            if message["Body"] in POISON:
                findings.dead_letters.append(message["Body"])
            else:
                findings.counts["redriven"] += 1
                stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=message["Body"])
            stack.sqs.delete_message(
                QueueUrl=stack.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
        return backlog.is_cleared() and not answer.get("Messages")

    wait_until(is_empty, "the queue to be empty", limit_s)


def _check(
    stack: Stack, dropped: dict[str, Dropped], versions: dict[str, list[str]], findings: Findings
) -> None:
    """Compares every result with the expected one for the version that is current in the end."""
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.results_bucket)
    stored = {each["Key"] for page in pages for each in page.get("Contents", [])}
    expected = set()
    for key, each in dropped.items():
        if each.expected is None:
            continue
        kind, value, verdict = each.expected
        right = f"{key}.json"
        if kind == "error":
            right = f"{key}.error.json"
            findings.counts["error records"] += 1
        expected.add(right)
        document = stack.read_result(right) if right in stored else None
        if document is None:
            findings.wrong.append(f"{right} is missing")
            continue
        found = (
            (document["error"]["type"], None) if kind == "error" else (document["score"], document["verdict"])
        )
        if document["source"]["version_id"] != versions[key][each.current]:
            findings.wrong.append(f"{right} is for version {document['source']['version_id']}")
        elif found != (value, verdict):
            findings.wrong.append(f"{right} says {found}, expected {(value, verdict)}")
    findings.wrong += [f"{key} belongs to no recording" for key in sorted(stored - expected)]


def _metrics(logs: Path) -> Counter[str]:
    """The function's metrics, from the logs of its processes. A killed process loses its last lines."""
    totals: Counter[str] = Counter()
    for log in logs.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            start = line.find('{"_aws"')
            if start < 0:
                continue
            try:
                document = json.loads(line[start:])
            except ValueError:
                continue
            for name in document:
                if name.startswith("Files") or name == "ColdStarts":
                    totals[name] += int(sum(document[name]))
    return totals
