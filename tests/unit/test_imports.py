"""Imports that a cold start must not pay for."""

import json
import subprocess
import sys

import pytest

from tests.conftest import EXAMPLES, ROOT

HEAVY = {
    "av", "fastapi", "keras", "mangum", "matplotlib", "rich", "scipy", "soundfile", "tensorflow", "training"
}  # fmt: skip
AWS = {"aws_lambda_powertools", "boto3", "botocore"}
CLEAN = str(EXAMPLES / "clean.flac")
HANDLER = "import aqscore.aws.handler as h"
SCORE_FILE = f"from aqscore.pipeline import score_file; score_file(open({CLEAN!r}, 'rb'), h.settings.scorer)"
HELP = "from aqscore.cli.main import command_parser as parser; parser([]).format_help()"
SCORE = (
    "from aqscore.cli.main import command_parser as parser; parser(['score']).parse_args(['score', 'a.wav'])"
)
LIBRARY = f"import aqscore; aqscore.score({CLEAN!r})"


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        (HANDLER, HEAVY),
        (f"{HANDLER}; {SCORE_FILE}", HEAVY),
        (LIBRARY, HEAVY | AWS),
        ("import aqscore", HEAVY | AWS | {"numpy", "pydantic"}),
        (HELP, HEAVY | AWS | {"numpy", "pydantic"}),
        (SCORE, HEAVY | AWS | {"numpy", "pydantic"}),
        ("import aqscore.audio.worker_main", HEAVY - {"soundfile"} | AWS | {"onnxruntime", "pydantic"}),
    ],
    ids=[
        "handler",
        "handler and a score",
        "library",
        "package",
        "help",
        "options of score",
        "decoder worker",
    ],
)
def test_nothing_heavy_is_imported(statement, forbidden):
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
    assert loaded.isdisjoint(forbidden)
