"""Faults around the function: events late, repeated and reordered, and processes killed."""

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.localstack.stack import Stack, client

POOL_SIZE = 40  # events that are held back, to be sent in random order
REPEATED_SHARE = 0.25
SNS_SHARE = 0.2
TIMEOUT_S = 60


class Relay:
    """Forwards S3's events from its own queue to the function's: late, shuffled, and some of them twice.

    Some go through topics of SNS, which put them into an envelope or forward them raw. Call ``finish`` when
    the last object is uploaded. ``sent`` counts the delivered events, ``sent_by_sns`` those through a topic.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._random = random.Random(seed)
        self._queue_url = stack.sqs.create_queue(QueueName="soak-events")["QueueUrl"]
        self._pool: list[tuple[str, bool]] = []
        self._uploads_done = threading.Event()
        self.sent = self.sent_by_sns = 0
        self._sns = client(stack.address, "sns")
        self._topics = [self._topic("soak-envelopes", raw="false"), self._topic("soak-raw", raw="true")]
        self._redirect_notifications()

    def finish(self) -> None:
        self._uploads_done.set()

    def run(self) -> None:
        """Runs until the last event is delivered."""
        while True:
            is_last = self._uploads_done.is_set()
            events = self._receive()
            self._pool += [(event, True) for event in events]
            while len(self._pool) > (0 if is_last and not events else POOL_SIZE):
                self._send_one()
            if is_last and not events:
                return

    def _topic(self, name: str, raw: str) -> str:
        """A topic that forwards messages to the function's queue; returns its ARN."""
        topic: str = self._sns.create_topic(Name=name)["TopicArn"]
        self._sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=self._arn(self._stack.queue_url),
            Attributes={"RawMessageDelivery": raw},
        )
        return topic

    def _arn(self, queue_url: str) -> str:
        answer = self._stack.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def _redirect_notifications(self) -> None:
        self._stack.s3.put_bucket_notification_configuration(
            Bucket=self._stack.incoming_bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": self._arn(self._queue_url),
                        "Events": ["s3:ObjectCreated:*", "s3:ObjectRestore:Completed"],
                    }
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
        if self._random.random() < SNS_SHARE:
            self._sns.publish(TopicArn=self._random.choice(self._topics), Message=event)
            self.sent_by_sns += 1
        else:
            self._stack.sqs.send_message(QueueUrl=self._stack.queue_url, MessageBody=event)
        self.sent += 1
        if is_new and self._random.random() < REPEATED_SHARE:
            self._pool.append((event, False))


class Killer:
    """Sends SIGKILL to a random handler process at random times, ``most`` times in all. ``killed`` counts.

    The limit leaves a busy machine enough processes that live as long as a recording takes.
    """

    def __init__(self, log_folder: Path, mean_pause_s: float, most: int, seed: int) -> None:
        self._marker = f"AQSCORE_LOG_FOLDER={log_folder.absolute()}".encode()
        self._mean_pause_s, self._most = mean_pause_s, most
        self._random = random.Random(seed)
        self._stopped = threading.Event()
        self.killed = 0

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while self.killed < self._most and not self._stopped.wait(self._pause_s()):
            if handlers := self._handlers():
                with suppress(ProcessLookupError):
                    os.kill(self._random.choice(handlers), signal.SIGKILL)
                    self.killed += 1

    def _pause_s(self) -> float:
        return self._random.expovariate(1 / self._mean_pause_s)

    def _handlers(self) -> list[int]:
        """The handler processes of this run, recognised by their environment."""
        found: list[int] = []
        for folder in sorted(Path("/proc").glob("[0-9]*")):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if command[1:3] == [b"-m", b"awslambdaric"] and self._marker in (
                    folder / "environ"
                ).read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Runs ``work`` in a thread for the duration of the block, and then waits for its end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def poll_faster(stack: Stack, pollers: int, endpoint: str, attempts: int) -> None:
    """Replaces the stack's event source mapping by ``pollers`` of them, and S3's address by ``endpoint``.

    The queue has ``attempts`` deliveries of a message.

    A mapping of LocalStack polls one batch after the other, one of AWS many at the same time. A queue may
    have only one mapping for each function, but each alias counts as a function.
    """
    function = stack.function_name
    mappings = stack.lambda_.list_event_source_mappings()["EventSourceMappings"]
    [original] = [
        each for each in mappings if each["EventSourceArn"].endswith(stack.queue_url.split("/")[-1])
    ]
    stack.lambda_.delete_event_source_mapping(UUID=original["UUID"])
    variables = {"AWS_ENDPOINT_URL_S3": endpoint, "AQSCORE_MAX_DELIVERIES": str(attempts)}
    version = stack.publish(variables, Timeout=TIMEOUT_S)
    for number in range(pollers):
        name = f"soak-{number}"
        stack.lambda_.create_alias(FunctionName=function, Name=name, FunctionVersion=version)
        stack.lambda_.create_event_source_mapping(
            EventSourceArn=original["EventSourceArn"],
            FunctionName=f"{function}:{name}",
            BatchSize=original["BatchSize"],
            FunctionResponseTypes=original["FunctionResponseTypes"],
        )


def shorten_retries(stack: Stack, hidden_s: int, attempts: int) -> None:
    """Sets the queue's visibility timeout, in seconds, and its number of attempts."""
    names = ["RedrivePolicy"]
    answer = stack.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)
    redrive = json.loads(answer["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": attempts}
    stack.sqs.set_queue_attributes(
        QueueUrl=stack.queue_url,
        Attributes={"VisibilityTimeout": str(hidden_s), "RedrivePolicy": json.dumps(redrive)},
    )
