"""What a cold start must not pay for."""

import json
import subprocess
import sys

import pytest

from tests.conftest import EXAMPLES, ROOT

HEAVY = {
    "av", "fastapi", "keras", "mangum", "matplotlib", "rich", "scipy", "soundfile", "tensorflow", "training"
}  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "import aqscore.aws.handler",
        f"import aqscore.aws.handler as h; from aqscore.pipeline import score_file; "
        f"score_file(open({str(EXAMPLES / 'clean.flac')!r}, 'rb'), h.settings.scorer)",
    ],
    ids=["handler", "handler and a score"],
)
def test_the_drop_folder_imports_nothing_heavy(statement):
    environment = {
        "AQSCORE_RESULTS_BUCKET": "results",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)
