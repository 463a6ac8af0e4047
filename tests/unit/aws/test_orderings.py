"""Any order of events and requests leaves one result, that of the current version.

Up to three workers run concurrently and take turns at every request to S3, in an order that Hypothesis draws.
Any request may fail, before or after S3 has carried it out. The newest version may be deleted at any time.
Tens of thousands of requests are made, so S3 is a model in memory; tests/integration and `make soak` have a
real one.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from aqscore.aws.invocation import Attempt
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer, Scoring
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.config import ScorerConfig
from aqscore.errors import EmptyFile, StorageUnavailable
from aqscore.pipeline import score_file
from tests.conftest import EXAMPLES
from tests.unit.aws.memory_s3 import MemoryS3

INCOMING, RESULTS = "incoming", "results"
KEY = "a.wav"
WORKERS = 3
GOOD, BAD = b"good", b"bad"
DIRECT = -1
MAX_DELIVERIES = 3  # of a message, which then comes back from the dead-letter queue as a new one
UNREACHABLE = EndpointConnectionError(endpoint_url="http://s3")


@pytest.fixture(scope="module")
def score() -> Scoring:
    """Every good recording has the same report: the tests check which version it is for."""
    with (EXAMPLES / "noisy.flac").open("rb") as file:
        scored = score_file(file, ScorerConfig(), frames=False)

    def score(file, config, /, *, time_limit_s):
        if file.read(3) == BAD:
            raise EmptyFile("It is bad.")
        return scored

    return score


@dataclass
class Job:
    """An event that is delivered until an attempt succeeds."""

    ref: ObjectRef
    rescore: bool = False
    deliveries: int = 0


class Run:
    """Uploads, events and workers.

    At every turn the next draw selects an upload, a new event, or a worker, which runs until its next request
    to S3.
    """

    def __init__(
        self,
        score: Scoring,
        bodies: list[bytes],
        copies: list[int],
        draws: list[int],
        faults: list[str | None],
        rolls_back: bool,
    ) -> None:
        """``rolls_back`` deletes the newest of several versions after the last upload."""
        self.s3 = LossyS3(self._step)
        settings = Settings(results_bucket=RESULTS, max_deliveries=MAX_DELIVERIES)
        self.scorer = ObjectScorer(settings, S3Client(self.s3), score=score)
        self._bodies, self._copies = bodies, copies
        self._rolls_back = rolls_back and len(bodies) > 1
        self._draws, self._faults = iter(draws), iter(faults)
        self._jobs: list[Job] = []
        self._busy: dict[int, threading.Thread] = {}
        self._go = [threading.Semaphore(0) for _ in range(WORKERS)]
        self._paused = threading.Semaphore(0)
        self._here = threading.local()
        self._failures: list[Exception] = []
        self._versions: list[str] = []

    @property
    def current(self) -> int:
        """The number of the current version."""
        return len(self._versions) - 1

    def until_all_are_done(self) -> None:
        """Somebody who deletes a version sends a message about the object after that."""
        changes = [partial(self._upload, *each) for each in enumerate(self._bodies)]
        if self._rolls_back:
            changes.append(self._delete_newest)
        self._work_off(changes)
        if self._rolls_back:
            self._jobs.append(Job(ObjectRef(INCOMING, KEY)))
            self._work_off([])
        if self._failures:
            raise self._failures[0]

    def _work_off(self, changes: list[Callable[[], None]]) -> None:
        while changes or self._jobs or self._busy:
            idle = [number for number in range(WORKERS) if number not in self._busy]
            choices = [*self._busy, *(idle[:1] if self._jobs else []), *(["change"] if changes else [])]
            choice = choices[next(self._draws, 0) % len(choices)]
            if choice == "change":
                changes.pop(0)()
                continue
            if choice not in self._busy:
                job = self._jobs.pop(next(self._draws, 0) % len(self._jobs))
                self._busy[choice] = threading.Thread(target=self._work, args=(choice, job))
                self._busy[choice].start()
            self._go[choice].release()
            self._paused.acquire()

    def _upload(self, number: int, body: bytes) -> None:
        put = self.s3.put(INCOMING, KEY, body + bytes([number]))
        self._versions.append(put["VersionId"])
        etag = put["ETag"].strip('"')
        ref = ObjectRef(INCOMING, KEY, put["VersionId"], etag, f"{number:04X}", len(body))
        self._jobs += [Job(ref) for _ in range(1 + self._copies.count(number))]
        if DIRECT in self._copies:
            self._jobs.append(Job(ObjectRef(INCOMING, KEY), rescore=True))

    def _delete_newest(self) -> None:
        self.s3.remove(INCOMING, KEY, self._versions.pop())

    def source_of_result(self) -> int:
        """The number of the version that the only result is for."""
        [key] = self.s3.keys(RESULTS)
        document = json.loads(self.s3.newest(RESULTS, key)["content"])
        return self._versions.index(document["source"]["version_id"])

    def _step(self) -> None:
        """Before every request: ends the turn, and waits for the next."""
        fault = next(self._faults, None)
        self._paused.release()
        self._go[self._here.number].acquire()
        self.s3.loses_answer = fault == "after"
        if fault == "before":
            raise UNREACHABLE

    def _work(self, number: int, job: Job) -> None:
        self._here.number = number
        self._go[number].acquire()
        job.deliveries += 1
        try:
            attempt = Attempt(rescore=job.rescore, delivery=job.deliveries)
            self.scorer.process(job.ref, attempt)
        except StorageUnavailable:
            job.deliveries %= MAX_DELIVERIES
            self._jobs.append(job)
        except Exception as error:
            self._failures.append(error)
        finally:
            del self._busy[number]
            self._paused.release()


class LossyS3(MemoryS3):
    """Loses the answer of a request that it has carried out, when ``loses_answer`` is set."""

    loses_answer = False

    def put_object(self, **request):
        return self._answer(super().put_object(**request))

    def delete_object(self, **request):
        return self._answer(super().delete_object(**request))

    def _answer(self, answer):
        if self.loses_answer:
            raise UNREACHABLE
        return answer


@settings(max_examples=500)
@given(
    bodies=st.lists(st.sampled_from([GOOD, BAD]), min_size=1, max_size=4),
    copies=st.lists(st.sampled_from([0, 1, 2, 3, DIRECT]), max_size=4),
    draws=st.lists(st.integers(0, 59), max_size=150),
    faults=st.lists(st.sampled_from([None, None, None, "before", "after"]), max_size=60),
    rolls_back=st.booleans(),
)
def test_one_result_stays_that_of_the_current_version(score, bodies, copies, draws, faults, rolls_back):
    run = Run(score, bodies, copies, draws, faults, rolls_back)
    run.until_all_are_done()
    current = bodies[run.current]
    assert run.s3.keys(RESULTS) == [f"{KEY}.json" if current == GOOD else f"{KEY}.error.json"]
    assert run.source_of_result() == run.current
