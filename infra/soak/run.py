"""A fault run, from the first upload to the check of every result."""

import json
import random
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from infra.soak.chaos import Killer, Relay, in_background, poll_faster, shorten_retries
from infra.soak.proxy import fault_proxy
from infra.soak.recordings import Body, recordings
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
    findings = Findings(objects, sum(len(bodies) for bodies in dropped.values()))
    with ExitStack() as started:
        address = started.enter_context(localstack(logs))
        stack = deploy(address)
        proxy = started.enter_context(fault_proxy(address.removeprefix("http://"), SHARE, seed))
        shorten_retries(stack, hidden_s, attempts)
        relay, killer = Relay(stack, seed), Killer(logs, pause_s, seed)
        poll_faster(stack, pollers, proxy.address)
        began = time.monotonic()
        with in_background(killer.run):
            try:
                with in_background(relay.run):
                    newest = _drop(stack, dropped, seed)
                    relay.finish()
                _wait(stack, findings, limit_s)
            finally:
                killer.stop()
        findings.seconds = time.monotonic() - began
        _check(stack, dropped, newest, findings)
    findings.counts += proxy.counts + Counter({"events": relay.sent, "kills": killer.killed})
    findings.counts += _metrics(logs)
    return findings


def _drop(stack: Stack, dropped: dict[str, list[Body]], seed: int) -> dict[str, str]:
    """Uploads all bodies in random order and sends the poison messages; returns key -> newest version."""
    draw = random.Random(seed)
    puts = [(key, body) for key, bodies in dropped.items() for body in bodies[:1]]
    draw.shuffle(puts)
    for key, bodies in dropped.items():
        for body in bodies[1:]:
            first = next(place for place, (name, _) in enumerate(puts) if name == key)
            puts.insert(draw.randrange(first + 1, len(puts) + 1), (key, body))
    for message in (*POISON, TEST_EVENT):
        stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=message)
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        uploads: dict[str, Future[str]] = {}
        for key, body in puts:
            if key in uploads:
                uploads[key].result()  # the versions of one object are uploaded in order
            uploads[key] = uploaders.submit(stack.upload, key, body.content)
        return {key: upload.result() for key, upload in uploads.items()}


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


def _check(stack: Stack, dropped: dict[str, list[Body]], newest: dict[str, str], findings: Findings) -> None:
    """Compares every result with the pipeline's result for the newest version."""
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.results_bucket)
    stored = {each["Key"] for page in pages for each in page.get("Contents", [])}
    expected = set()
    for key, bodies in dropped.items():
        kind, value, verdict = bodies[-1].expected
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
        if document["source"]["version_id"] != newest[key]:
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
