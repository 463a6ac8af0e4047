"""The HTTPS API with a real S3: results are stored, and large recordings use presigned uploads."""

from dataclasses import replace

import httpx2
import pytest
from fastapi.testclient import TestClient

from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.recording_store import S3RecordingStore
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.http.app import create_app
from aqscore.report import Report
from tests.conftest import EXAMPLES
from tests.integration.buckets import stored

CLEAN = (EXAMPLES / "clean.flac").read_bytes()


@pytest.fixture
def stack_settings(incoming, results) -> Settings:
    return Settings(incoming_bucket=incoming, results_bucket=results)


@pytest.fixture
def client(s3_client, stack_settings):
    with client_of_stack(stack_settings, s3_client) as client:
        yield client


def client_of_stack(settings: Settings, s3_client: S3Client) -> TestClient:
    return TestClient(create_app(settings.scorer, S3RecordingStore(settings, s3_client)))


def test_the_result_of_a_posted_recording_is_stored_and_named(s3, client, results):
    answer = client.post("/v1/scores", content=CLEAN)
    [(key, body)] = stored(s3, results).items()
    assert answer.headers["Aqscore-Result"] == f"s3://{results}/{key}"
    assert Report.model_validate_json(body) == Report.model_validate(answer.json())
    again = client.get(answer.headers["Location"])
    assert (again.status_code, again.content) == (200, body)
    assert again.headers["content-type"] == "application/json"


def test_store_false_stores_nothing(s3, client, results):
    answer = client.post("/v1/scores", params={"store": "false"}, content=CLEAN)
    assert answer.status_code == 200
    assert stored(s3, results) == {}


def test_an_object_of_the_incoming_bucket_is_scored(s3, client, incoming):
    s3.put_object(Bucket=incoming, Key="calls/a b.flac", Body=CLEAN)
    answer = client.post("/v1/scores", json={"bucket": incoming, "key": "calls/a b.flac"})
    assert answer.json()["source"]["key"] == "calls/a b.flac"
    assert answer.json()["score"]


def test_no_other_bucket_is_read(s3, client, results, plain_incoming):
    s3.put_object(Bucket=plain_incoming, Key="secret.flac", Body=CLEAN)
    for bucket in (plain_incoming, results):
        answer = client.post("/v1/scores", json={"bucket": bucket, "key": "secret.flac"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:aqscore:error:forbidden")


def test_an_object_that_is_not_there_is_404(client, incoming):
    assert client.post("/v1/scores", json={"bucket": incoming, "key": "none.wav"}).status_code == 404


def test_an_upload_is_pending_until_it_is_scored(s3, client, s3_client, stack_settings, incoming):
    ticket = client.post("/v1/uploads", json={"filename": "a.flac", "size": len(CLEAN)}).json()
    assert client.get(ticket["score_url"]).status_code == 404
    posted = httpx2.post(ticket["url"], data=ticket["fields"], files={"file": ("a.flac", CLEAN)})
    assert posted.status_code == 204, posted.text
    pending = client.get(ticket["score_url"])
    assert pending.status_code == 202
    assert int(pending.headers["Retry-After"]) > 0
    ObjectScorer(stack_settings, s3_client).process(ObjectRef(incoming, f"uploads/{ticket['id']}"))
    assert client.get(ticket["score_url"]).json()["score"]


def test_with_a_prefix_uploads_go_under_it_and_nothing_else_is_read(s3, s3_client, stack_settings, incoming):
    prefixed = replace(stack_settings, incoming_prefix="calls/")
    client = client_of_stack(prefixed, s3_client)
    ticket = client.post("/v1/uploads", json={"filename": "a.flac", "size": len(CLEAN)}).json()
    httpx2.post(ticket["url"], data=ticket["fields"], files={"file": ("a.flac", CLEAN)})
    assert client.get(ticket["score_url"]).status_code == 202
    ObjectScorer(prefixed, s3_client).process(ObjectRef(incoming, f"calls/uploads/{ticket['id']}"))
    assert client.get(ticket["score_url"]).json()["score"]
    s3.put_object(Bucket=incoming, Key="elsewhere.flac", Body=CLEAN)
    assert client.post("/v1/scores", json={"bucket": incoming, "key": "elsewhere.flac"}).status_code == 403


def test_an_upload_that_cannot_be_scored_has_an_error_record(client, s3_client, stack_settings, incoming):
    ticket = client.post("/v1/uploads", json={"filename": "a.wav", "size": 100}).json()
    httpx2.post(ticket["url"], data=ticket["fields"], files={"file": ("a.wav", b"a letter")})
    ObjectScorer(stack_settings, s3_client).process(ObjectRef(incoming, f"uploads/{ticket['id']}"))
    assert client.get(ticket["score_url"]).json()["error"]["type"] == "unsupported_format"


def test_credentials_of_an_upload_are_not_logged(client, caplog, capsys):
    caplog.set_level("INFO")
    ticket = client.post("/v1/uploads", json={"filename": "a.wav", "size": 9}).json()
    [signature] = [value for name, value in ticket["fields"].items() if "signature" in name.lower()]
    client.post("/v1/scores", json={"url": f"https://bucket/a?X-Amz-Signature={signature}"})
    logged = caplog.text + "".join(capsys.readouterr())
    assert signature not in logged
    assert ticket["fields"]["policy"] not in logged


def test_an_upload_cannot_exceed_its_declared_size(client):
    ticket = client.post("/v1/uploads", json={"filename": "a.wav", "size": 10}).json()
    posted = httpx2.post(ticket["url"], data=ticket["fields"], files={"file": ("a.wav", b"x" * 11)})
    assert posted.status_code == 400
    assert "EntityTooLarge" in posted.text


def test_the_page_may_connect_to_the_address_of_its_uploads(client):
    ticket = client.post("/v1/uploads", json={"filename": "a.wav", "size": 10}).json()
    url = httpx2.URL(ticket["url"])
    origin = f"{url.scheme}://{url.netloc.decode()}"
    assert f"connect-src 'self' {origin};" in client.get("/").headers["Content-Security-Policy"]


def test_the_download_of_an_object_counts_towards_the_time_of_a_request(
    s3, s3_client, stack_settings, incoming
):
    s3.put_object(Bucket=incoming, Key="a.flac", Body=CLEAN)
    store = S3RecordingStore(stack_settings, s3_client)
    client = TestClient(create_app(stack_settings.scorer, store, time_limit_s=lambda _: 0.0))
    answer = client.post("/v1/scores", json={"bucket": incoming, "key": "a.flac"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:aqscore:error:out_of_time")


@pytest.mark.parametrize("key", ["a" * 1024, "é" * 700, "a/../b", "\u0000", "a\nb", "😀"])
def test_no_name_of_an_object_ends_in_a_500(client, incoming, key):
    answer = client.post("/v1/scores", json={"bucket": incoming, "key": key})
    assert answer.status_code in (400, 404, 422), answer.text


def test_an_upload_over_the_limit_gets_no_ticket(client, stack_settings):
    size = stack_settings.scorer.limits.max_bytes + 1
    assert client.post("/v1/uploads", json={"filename": "a.wav", "size": size}).status_code == 413


@pytest.mark.parametrize("score_id", ["..%2F..%2Fsecret", "A" * 32, "0" * 31, "0" * 33])
def test_malformed_ids_are_rejected(client, score_id):
    assert client.get(f"/v1/scores/{score_id}").status_code in (404, 422)
