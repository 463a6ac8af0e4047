"""A fault run from the first upload to the verdict on every object."""

import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy
from infra.soak.chaos import Killer, Relay, be_impatient, in_background, poll_faster
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
    """What a run found: ``wrong`` names every object whose result is not the one it should be."""

    objects: int
    versions: int
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def dead_letters_are_right(self) -> bool:
        return sorted(self.dead_letters) == sorted(POISON)


def run(objects: int, seed: int, logs: Path, *, pollers: int = 4, hidden_s: int = 60, tries: int = 5,
        pause_s: float = 8, limit_s: float = 3600) -> Findings:  # fmt: skip
    """Drops the recordings into a stack of their own, lets everything go wrong, and checks each result.

    ``hidden_s`` and ``tries`` are the queue's, ``pause_s`` is the mean time between two kills.
    """
    dropped = recordings(objects, seed)
    findings = Findings(objects, sum(len(bodies) for bodies in dropped.values()))
    with ExitStack() as started:
        address = started.enter_context(localstack(logs))
        stack = deploy(address)
        proxy = started.enter_context(fault_proxy(address.removeprefix("http://"), SHARE, seed))
        be_impatient(stack, hidden_s, tries)
        relay, killer = Relay(stack, seed), Killer(logs, pause_s, seed)
        poll_faster(stack, pollers, proxy.address)
        began = time.monotonic()
        with in_background(killer.run):
            try:
                with in_background(relay.run):
                    newest = _drop(stack, dropped, seed)
                    relay.put_all()
                _wait(stack, findings, limit_s)
            finally:
                killer.stop()
        findings.seconds = time.monotonic() - began
        _check(stack, dropped, newest, findings)
    findings.counts += proxy.counts + Counter({"events": relay.sent, "kills": killer.killed})
    findings.counts += _metrics(logs)
    return findings


def _drop(stack: Stack, dropped: dict[str, list[Body]], seed: int) -> dict[str, str]:
    """Uploads first bodies and second ones in any order, and the poison; returns the newest versions."""
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
        uploads = {}
        for key, body in puts:
            if key in uploads:
                uploads[key].result()  # or two uploaders could have the same object in hand
            uploads[key] = uploaders.submit(stack.drop, key, body.content)
        return {key: upload.result() for key, upload in uploads.items()}


def _wait(stack: Stack, findings: Findings, limit_s: float) -> None:
    """Until the queue is empty. What rests in the dead-letter queue is kept, or sent back if it is no poison:
    what an operator does once the fault has gone."""

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
    """Compares every result with what the pipeline says of the newest version's bytes."""
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.results_bucket)
    stored = {each["Key"] for page in pages for each in page.get("Contents", [])}
    expected = set()
    for key, bodies in dropped.items():
        kind, value, verdict = bodies[-1].truth
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
    findings.wrong += [f"{key} is nobody's" for key in sorted(stored - expected)]


def _metrics(logs: Path) -> Counter[str]:
    """What the function's processes counted, from their logs. A killed one takes its last lines along."""
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
