"""What goes wrong around the function: events late, twice and in another order, processes killed."""

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.localstack.stack import Stack

HELD = 40  # events that are held back, to leave in any order
TWICE_SHARE = 0.25
TIMEOUT_S = 60


class Relay:
    """Carries S3's events from a queue of its own to the function's: late, shuffled, and some of them twice.

    ``put_all`` is to be called when the last object is there. ``sent`` counts what it delivered.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._random = random.Random(seed)
        self._queue_url = stack.sqs.create_queue(QueueName="soak-events")["QueueUrl"]
        self._pool: list[tuple[str, bool]] = []
        self._all_put = threading.Event()
        self.sent = 0
        self._take_the_notifications()

    def put_all(self) -> None:
        self._all_put.set()

    def run(self) -> None:
        """Works until the last event is delivered."""
        while True:
            all_put = self._all_put.is_set()
            events = self._receive()
            self._pool += [(event, True) for event in events]
            while len(self._pool) > (0 if all_put and not events else HELD):
                self._send_one()
            if all_put and not events:
                return

    def _take_the_notifications(self) -> None:
        attributes = self._stack.sqs.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["QueueArn"]
        )
        self._stack.s3.put_bucket_notification_configuration(
            Bucket=self._stack.incoming_bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {"QueueArn": attributes["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
                ]
            },
        )

    def _receive(self) -> list[str]:
        answer = self._stack.sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        messages = answer.get("Messages", [])
        for message in messages:
            self._stack.sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def _send_one(self) -> None:
        event, is_new = self._pool.pop(self._random.randrange(len(self._pool)))
        self._stack.sqs.send_message(QueueUrl=self._stack.queue_url, MessageBody=event)
        self.sent += 1
        if is_new and self._random.random() < TWICE_SHARE:
            self._pool.append((event, False))


class Killer:
    """Sends SIGKILL to a random handler process at random moments. ``killed`` counts."""

    def __init__(self, log_folder: Path, mean_pause_s: float, seed: int) -> None:
        self._mark = f"AQSCORE_LOG_FOLDER={log_folder.absolute()}".encode()
        self._mean_pause_s = mean_pause_s
        self._random = random.Random(seed)
        self._enough = threading.Event()
        self.killed = 0

    def stop(self) -> None:
        self._enough.set()

    def run(self) -> None:
        while not self._enough.wait(self._random.expovariate(1 / self._mean_pause_s)):
            if handlers := self._handlers():
                with suppress(ProcessLookupError):
                    os.kill(self._random.choice(handlers), signal.SIGKILL)
                    self.killed += 1

    def _handlers(self) -> list[int]:
        """The processes with the handler in them; of this run alone, told by their environment."""
        found = []
        for folder in sorted(Path("/proc").glob("[0-9]*")):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if command[1:3] == [b"-m", b"awslambdaric"] and self._mark in (
                    folder / "environ"
                ).read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Runs ``work`` in a thread, and waits for its end when the block is left."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def poll_faster(stack: Stack, pollers: int, endpoint: str) -> None:
    """Has ``pollers`` event source mappings feed the function, which reaches S3 by way of ``endpoint``.

    LocalStack's mapping polls one batch after the other, AWS's many at a time. A queue may have one mapping
    a function, but an alias counts as another function.
    """
    function = stack.function_name
    mappings = stack.lambda_.list_event_source_mappings()["EventSourceMappings"]
    [pattern] = [each for each in mappings if each["EventSourceArn"].endswith(stack.queue_url.split("/")[-1])]
    stack.lambda_.delete_event_source_mapping(UUID=pattern["UUID"])
    version = stack.publish({"AWS_ENDPOINT_URL_S3": endpoint}, Timeout=TIMEOUT_S)
    for number in range(pollers):
        name = f"soak-{number}"
        stack.lambda_.create_alias(FunctionName=function, Name=name, FunctionVersion=version)
        stack.lambda_.create_event_source_mapping(
            EventSourceArn=pattern["EventSourceArn"],
            FunctionName=f"{function}:{name}",
            BatchSize=pattern["BatchSize"],
            FunctionResponseTypes=pattern["FunctionResponseTypes"],
        )


def be_impatient(stack: Stack, hidden_s: int, tries: int) -> None:
    """Shorter pauses between tries than the template's half hour."""
    names = ["RedrivePolicy"]
    answer = stack.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)
    redrive = json.loads(answer["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": tries}
    stack.sqs.set_queue_attributes(
        QueueUrl=stack.queue_url,
        Attributes={"VisibilityTimeout": str(hidden_s), "RedrivePolicy": json.dumps(redrive)},
    )
