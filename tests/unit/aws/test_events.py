"""events/: each source's documented events are recognised, read and answered in its own form.

The drop folder is a stand-in that records what it is asked for; tests/integration has the real one.
"""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqscore.aws.events import source_of
from aqscore.aws.events.direct import Direct
from aqscore.aws.events.eventbridge import EventBridge
from aqscore.aws.events.http import Http
from aqscore.aws.events.s3 import S3
from aqscore.aws.events.s3_batch import S3Batch
from aqscore.aws.events.sqs import Sqs
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer, Outcome
from aqscore.aws.settings import Settings
from aqscore.aws.storage import Storage
from aqscore.errors import BadRequest, StorageUnavailable, UnreadableEvent
from aqscore.report import ErrorInfo, ErrorRecord, ObjectSource
from tests.conftest import ROOT
from tests.unit.aws.memory_s3 import MemoryS3

OBJECT = {
    "key": "calls/a+b%2B%25+%E5%BD%95%E9%9F%B3.wav",
    "size": 7,
    "eTag": "e1",
    "versionId": "v1",
    "sequencer": "0A",
}
KEY = "calls/a b+% 录音.wav"
REF = ObjectRef("incoming", KEY, version_id="v1", etag="e1", sequencer="0A", size_bytes=7)


def s3_event(*names: str) -> dict:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {"bucket": {"name": "incoming"}, "object": OBJECT},
            }
            for name in names or ("ObjectCreated:Put",)
        ]
    }


def eventbridge_event(kind: str = "Object Created") -> dict:
    thing = {"key": KEY, "size": 7, "etag": "e1", "version-id": "v1", "sequencer": "0A"}
    return {
        "source": "aws.s3",
        "detail-type": kind,
        "detail": {"bucket": {"name": "incoming"}, "object": thing},
    }


def sqs_event(*bodies) -> dict:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{i}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for i, body in enumerate(bodies)
        ]
    }


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "incoming"}


def sample(name: str) -> dict:
    return json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())


HTTP = [sample(name) for name in ("rest_api", "http_api", "function_url")]
BATCH = [sample(name) for name in ("s3_batch_1_0", "s3_batch_2_0")]


class Call:
    """A Lambda call's context, with a clock that the test sets."""

    def __init__(self, left_s: float = 300) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self.left_s)


class Folder:
    """Records the objects that it is asked for; fails for keys that say how."""

    def __init__(self, call: Call | None = None, spends_s: float = 0) -> None:
        self.asked: list[tuple[ObjectRef, bool]] = []
        self.given_s: list[float] = []
        self.first_tries: list[bool] = []
        self.fresh_calls: list[bool] = []
        self.call, self.spends_s = call or Call(), spends_s

    def process(
        self, ref: ObjectRef, *, again: bool = False, left_s: float = math.inf, **told: bool
    ) -> Outcome:
        self.first_tries.append(told.get("is_first_try", False))
        self.fresh_calls.append(told.get("is_fresh_call", False))
        self.asked.append((ref, again))
        self.given_s.append(left_s)
        self.call.left_s -= self.spends_s
        if ref.key == "unavailable":
            raise StorageUnavailable("S3 is away.")
        if ref.key == "result":
            raise BadRequest("A result is no recording.")
        if ref.key == "bug":
            raise ZeroDivisionError
        if ref.key == "good.wav":
            return Outcome("duplicate", f"{ref.key}.json")
        error = ErrorInfo(type="empty_file", message="Empty.", advice="Fill it.", retryable=False)
        record = ErrorRecord(source=ObjectSource(bucket=ref.bucket, key=ref.key), error=error)
        return Outcome("refused", f"{ref.key}.error.json", record)


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (s3_event(), S3),
        (TEST_EVENT, S3),
        (sqs_event(s3_event()), Sqs),
        (eventbridge_event(), EventBridge),
        ({"bucket": "b", "key": "k"}, Direct),
        *((event, Http) for event in HTTP),
        *((event, S3Batch) for event in BATCH),
    ],
)
def test_each_event_finds_its_source(event, source):
    assert source_of(event) is source


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        7,
        {},
        {"Records": []},
        {"Records": [1]},
        {"Records": "x"},
        {"bucket": "b"},
        {"bucket": 1, "key": 2},
        {"invocationSchemaVersion": "1.0", "tasks": None},
    ],
)
def test_an_event_of_no_known_source_is_an_error(event):
    with pytest.raises(UnreadableEvent, match="of no known kind"):
        source_of(event)


def test_s3_keys_are_decoded_and_other_events_left_alone():
    folder = Folder()
    answer = S3.handle(s3_event("ObjectCreated:Put", "ObjectRemoved:Delete"), Call(), folder)
    assert folder.asked == [(REF, False)]
    assert answer["results"] == [
        {"bucket": "incoming", "key": KEY, "state": "refused", "result_key": f"{KEY}.error.json"}
    ]


def test_eventbridge_keys_come_as_they_are():
    folder = Folder()
    EventBridge.handle(eventbridge_event(), Call(), folder)
    EventBridge.handle(eventbridge_event("Object Deleted"), Call(), folder)
    assert folder.asked == [(REF, False)]


def test_the_test_event_of_s3_does_nothing():
    folder = Folder()
    assert S3.handle(TEST_EVENT, Call(), folder) == {"results": []}
    assert Sqs.handle(sqs_event(TEST_EVENT), Call(), folder) == {"batchItemFailures": []}
    assert folder.asked == []


def test_a_call_by_hand_scores_again_and_returns_the_result():
    folder = Folder()
    answer = Direct.handle({"bucket": "b", "key": "k", "version_id": "v"}, Call(), folder)
    assert folder.asked == [(ObjectRef("b", "k", version_id="v"), True)]
    assert answer["error"]["type"] == "empty_file"
    json.dumps(answer)


def test_only_the_messages_that_failed_are_named():
    folder = Folder()
    bodies = [
        s3_event(),
        {"bucket": "b", "key": "unavailable"},
        {"bucket": "b", "key": "bug"},
        {"bucket": "b", "key": "result"},
        eventbridge_event(),
    ]
    assert Sqs.handle(sqs_event(*bodies), Call(), folder) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]
    }
    assert len(folder.asked) == 5


def test_a_message_may_ask_for_another_score():
    folder = Folder()
    bodies = [{"bucket": "b", "key": f"good{again}", "again": again} for again in (True, False, "yes")]
    Sqs.handle(sqs_event(*bodies), Call(), folder)
    assert [again for _, again in folder.asked] == [True, False, False]


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        "7",
        "[" * 100_000,
        {"Records": [{"eventSource": "aws:s3"}]},
        {"source": "aws.s3", "detail": 1},
    ],
)
def test_a_message_that_cannot_be_read_is_kept_for_a_person(body):
    assert Sqs.handle(sqs_event(body), Call(), Folder()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_a_message_that_cannot_be_read_leaves_the_log_without_its_text(caplog):
    url = "https://bucket/key?X-Amz-Signature=0123"
    Sqs.handle(sqs_event(url, {"url": url}), Call(), Folder())
    with pytest.raises(UnreadableEvent) as caught:
        source_of({"url": url})
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert "X-Amz" not in str(vars(record))
    assert "X-Amz" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "event", "files"),
    [
        (Sqs, sqs_event(*[s3_event()] * 3), 3),
        (S3, s3_event(*["ObjectCreated:Put"] * 3), 3),
        (S3Batch, BATCH[0] | {"tasks": BATCH[0]["tasks"][:1] * 3}, 3),
        (EventBridge, eventbridge_event(), 1),
        (Direct, {"bucket": "b", "key": "k"}, 1),
    ],
)
def test_each_file_is_told_what_is_left_of_the_call_and_the_first_that_it_is_fresh(source, event, files):
    call = Call(left_s=300)
    folder = Folder(call, spends_s=100)
    source.handle(event, call, folder)
    assert folder.given_s == [300, 200, 100][:files]
    assert folder.fresh_calls == [True, False, False][:files]


def test_a_first_delivery_is_told_from_later_ones():
    folder = Folder()
    event = sqs_event(s3_event(), s3_event(), s3_event())
    for record, count in zip(event["Records"], ("1", "2", None), strict=True):
        record["attributes"] = {"ApproximateReceiveCount": count} if count else {}
    Sqs.handle(event, Call(), folder)
    assert folder.first_tries == [True, False, False]


def test_a_message_with_a_thousand_objects_comes_last():
    folder = Folder()
    thousand = json.loads(json.dumps(s3_event(*["ObjectCreated:Put"] * 1000)).replace("incoming", "many"))
    Sqs.handle(sqs_event(thousand, s3_event(), s3_event()), Call(), folder)
    assert [ref.bucket for ref, _ in folder.asked] == ["incoming", "incoming", *["many"] * 1000]


def test_one_bad_object_of_a_message_does_not_stop_the_others():
    folder = Folder()
    message = s3_event(*["ObjectCreated:Put"] * 3)
    message["Records"][0]["s3"] = {"bucket": {"name": "b"}, "object": {"key": "unavailable"}}
    assert Sqs.handle(sqs_event(message), Call(), folder) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(folder.asked) == 3


@pytest.mark.parametrize("event", BATCH, ids=["1.0", "2.0"])
def test_a_batch_task_names_its_object_in_either_schema(event):
    folder = Folder()
    answer = S3Batch.handle(event, Call(), folder)
    [(ref, again)] = folder.asked
    assert ref.bucket == "aqscore-incoming-123456789012-eu-central-1"
    assert ref.key == "recordings/first call.wav"
    assert ref.version_id == event["tasks"][0]["s3VersionId"]
    assert again == ("userArguments" in event["job"])
    assert answer["invocationSchemaVersion"] == event["invocationSchemaVersion"]
    assert answer["invocationId"] == event["invocationId"]
    assert answer["treatMissingKeysAs"] == "PermanentFailure"
    assert [result["taskId"] for result in answer["results"]] == [event["tasks"][0]["taskId"]]


def test_each_batch_task_gets_its_own_result_code():
    keys = [
        "good.wav",
        "letter.txt",
        "unavailable",
        "result",
        "bug",
        "calls/a+b%2B%25+%E5%BD%95%E9%9F%B3.wav",
    ]
    event = {
        "invocationSchemaVersion": "2.0",
        "invocationId": "i",
        "job": {"id": "j"},
        "tasks": [
            {"taskId": f"t{i}", "s3Key": key, "s3VersionId": None, "s3Bucket": "incoming"}
            for i, key in enumerate(keys)
        ],
    }
    folder = Folder()
    results = S3Batch.handle(event, Call(), folder)["results"]
    assert [(result["taskId"], result["resultCode"]) for result in results] == [
        ("t0", "Succeeded"),
        ("t1", "PermanentFailure"),
        ("t2", "TemporaryFailure"),
        ("t3", "PermanentFailure"),
        ("t4", "TemporaryFailure"),
        ("t5", "PermanentFailure"),
    ]
    assert results[0]["resultString"] == "duplicate good.wav.json"
    assert results[1]["resultString"] == "empty_file: Empty."
    assert results[2]["resultString"] == "storage_unavailable: S3 is away."
    assert folder.asked[-1] == (ObjectRef("incoming", KEY), False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
MEMBERS = ["Records", "eventSource", "eventName", "s3", "object", "bucket", "name", "key", "detail", "source"]


@st.composite
def spoiled(draw) -> object:
    """A good event of any kind, one of whose members is something else, or nothing."""
    text = json.dumps(draw(st.sampled_from([s3_event(), eventbridge_event(), {"bucket": "b", "key": "k"}])))
    member, value = draw(st.sampled_from(MEMBERS)), draw(JSON)
    drop = draw(st.booleans())

    def spoil(pairs: list[tuple[str, object]]) -> dict:
        return {
            name: value if name == member else each for name, each in pairs if not (drop and name == member)
        }

    return json.loads(text, object_pairs_hook=spoil)


@given(bodies=st.lists(JSON | spoiled() | st.text(), max_size=4))
def test_no_message_whatever_it_says_keeps_the_others_from_their_turn(bodies):
    folder = ObjectScorer(Settings(results_bucket="results"), Storage(MemoryS3(lambda: None)))
    event = sqs_event(*bodies, {"bucket": "results", "key": "a.json"}, s3_event())
    answer = Sqs.handle(event, Call(), folder)
    failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
    assert failed <= {f"m{number}" for number in range(len(bodies))}


@pytest.mark.parametrize("event", HTTP, ids=["REST API", "HTTP API", "function URL"])
def test_every_kind_of_http_event_reaches_the_application(event):
    answer = Http.handle(event, None, Folder())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok"}


@pytest.mark.parametrize("event", HTTP, ids=["REST API", "HTTP API", "function URL"])
def test_errors_travel_as_text(event):
    """Mangum takes what it doesn't know for binary, and sends it as base64."""
    event = json.loads(json.dumps(event).replace("/v1/health", "/v2/nothing"))
    answer = Http.handle(event, None, Folder())
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (404, False)
    assert json.loads(answer["body"])["type"] == "urn:aqscore:error:http_error"
