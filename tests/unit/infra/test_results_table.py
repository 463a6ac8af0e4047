"""infra/athena: the table's definition and the queries, run on real results in DuckDB instead of Athena.

Both read the SQL of these queries alike. The column types come from the definition, so that a field missing
from it is noticed.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
import soundfile

from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError
from aqscore.pipeline import score_file
from aqscore.report import ErrorRecord, ObjectSource, Report, json_schema
from infra import drift
from tests.conftest import EXAMPLES, ROOT, wav_bytes

ATHENA = ROOT / "infra" / "athena"
QUERIES = sorted(path.stem for path in (ATHENA / "queries").glob("*.sql"))
TYPES = {"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}


def table() -> dict[str, str]:
    """Column -> its type in Athena."""
    ddl = (ATHENA / "results.sql").read_text()
    return dict(re.findall(r"^  `(\w+)` (\S+?),?$", ddl, flags=re.M))


def in_duckdb(kind: str) -> str:
    """An Athena type as a DuckDB type."""
    if kind.startswith("array<"):
        return in_duckdb(kind[6:-1]) + "[]"
    if kind.startswith("struct<"):
        members = re.split(r",(?![^<]*>)", kind[7:-1])
        return (
            f"STRUCT({', '.join(f'"{n}" {in_duckdb(k)}' for n, _, k in (m.partition(':') for m in members))})"
        )
    return TYPES[kind]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Path:
    """A results bucket: the results of the examples, and of two files that can't be scored."""
    folder = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(1)
    bodies = {f"examples/{path.name}": path.read_bytes() for path in sorted(EXAMPLES.glob("*.flac"))}
    bodies["calls/burst.wav"] = wav_bytes(burst(rng))
    bodies["calls/empty.wav"] = b""
    bodies["calls/letter 'ä'.txt"] = b"a letter\n"
    for key, body in bodies.items():
        source = ObjectSource(bucket="in", key=key, version_id="v", etag="e", size_bytes=len(body))
        path = folder / "recording"
        path.write_bytes(body)
        try:
            with path.open("rb") as file:
                document = Report(source=source, **dict(score_file(file, ScorerConfig())))
        except AqscoreError as error:
            document = ErrorRecord.of(error, source)
        path.unlink()
        ending = ".error.json" if isinstance(document, ErrorRecord) else ".json"
        stored = folder / f"{key}{ending}"
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(document.model_dump_json().encode())
    return folder


def burst(rng: np.random.Generator) -> np.ndarray:
    """Clean speech with half a second of noise."""
    samples = soundfile.read(EXAMPLES / "clean.flac", dtype="float32")[0]
    samples[40_000:48_000] += rng.normal(0, 0.3, 8_000).astype(np.float32)
    return samples.clip(-1, 1)


def opened(bucket: Path) -> duckdb.DuckDBPyConnection:
    """The table over a folder, with the columns of the definition."""
    columns = ", ".join(f"'{name}': '{in_duckdb(kind)}'" for name, kind in table().items())
    connection = duckdb.connect()
    connection.execute(
        f"CREATE VIEW results AS SELECT * FROM read_json('{bucket}/**/*.json', "
        f"format = 'newline_delimited', columns = {{{columns}}})"
    )
    return connection


@pytest.fixture(scope="module")
def database(bucket: Path) -> duckdb.DuckDBPyConnection:
    return opened(bucket)


def answer(database: duckdb.DuckDBPyConnection, name: str) -> list[dict]:
    found = database.execute((ATHENA / "queries" / f"{name}.sql").read_text())
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_result_is_one_line(bucket: Path):
    for path in bucket.rglob("*.json"):
        assert len(path.read_text().splitlines()) == 1


def test_the_table_has_every_field_of_the_schema():
    parts = json_schema()["$defs"]

    def names(part: str) -> set[str]:
        return set(parts[part]["properties"])

    columns = table()
    # Scores by channel exist only in responses over HTTPS.
    assert columns.keys() == (names("Report") | names("ErrorRecord")) - {"channels"}
    for column, part in {
        "media": "MediaInfo", "model": "ModelInfo", "frames": "Frames", "worst_segment": "Segment",
        "timeline": "Segment", "causes": "Cause",
        "distribution": "Distribution", "signal": "Signal", "timing": "Timing", "error": "ErrorInfo",
    }.items():  # fmt: skip
        assert set(re.findall(r"[<,](\w+):", columns[column])) == names(part), column
    sources = names("ObjectSource") | names("FileSource")
    assert set(re.findall(r"[<,](\w+):", columns["source"])) == sources


def test_the_documents_name_all_queries():
    text = (ROOT / "docs" / "results.md").read_text()
    assert set(re.findall(r"queries/(\w+)\.sql", text)) == set(QUERIES)


def test_the_worst_recordings_come_first(database):
    rows = answer(database, "worst")
    assert [row["key"] for row in rows][0] != "examples/clean.flac"
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores) and len(scores) == 3


def test_folders_are_compared(database):
    rows = {row["folder"]: row for row in answer(database, "by_folder")}
    assert rows.keys() == {"calls", "examples"}
    assert rows["examples"]["recordings"] == 2
    assert rows["examples"]["hours"] >= 0


def test_errors_are_counted_by_type(database):
    rows = {row["type"]: row for row in answer(database, "refused")}
    assert rows.keys() == {"empty_file", "unsupported_format"}
    assert rows["empty_file"]["example"] == "calls/empty.wav"


def test_bad_moments_of_good_recordings_are_listed(bucket: Path, tmp_path: Path):
    """Two reports with made-up scores, so that the result doesn't depend on the model."""
    report = json.loads((bucket / "examples" / "clean.flac.json").read_text())
    for key, score_, worst in (("dropout.wav", 3.9, 1.4), ("even.wav", 3.9, 3.5)):
        report |= {"score": score_, "worst_segment": report["worst_segment"] | {"score": worst}}
        report["source"]["key"] = key
        (tmp_path / f"{key}.json").write_text(json.dumps(report))
    [row] = answer(opened(tmp_path), "bad_moments")
    assert (row["key"], row["worst_score"]) == ("dropout.wav", 1.4)


def test_recordings_are_counted_by_cause(bucket: Path, tmp_path: Path):
    """Three reports with made-up causes, so that the result doesn't depend on the model."""
    report = json.loads((bucket / "examples" / "clean.flac.json").read_text())
    for key, cause, mos in (("a.wav", "noise", 2.0), ("b.wav", None, 4.5), ("c.wav", "noise", 3.0)):
        report |= {"mos": mos, "worst_segment": report["worst_segment"] | {"cause": cause}}
        (tmp_path / f"{key}.json").write_text(json.dumps(report))
    rows = answer(opened(tmp_path), "by_cause")
    assert [(row["cause"], row["recordings"], row["mean_mos"]) for row in rows] == [
        ("noise", 2, 2.5), (None, 1, 4.5),
    ]  # fmt: skip


def test_scores_are_grouped_by_model(database):
    [row] = answer(database, "by_model")
    info = json.loads((ScorerConfig().model_dir / "model.json").read_text())
    assert (row["name"], row["version"]) == (info["name"], info["version"])
    assert (row["recordings"], row["without_score"]) == (4, 1)


def test_duckdb_reads_the_results_without_a_definition(bucket: Path):
    found = duckdb.sql(f"SELECT count(*), count(score), count(error) FROM read_json('{bucket}/**/*.json')")
    assert found.fetchall() == [(6, 3, 2)]


BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "results.md").read_text(), flags=re.M | re.S)


@pytest.fixture
def demo(bucket: Path, tmp_path: Path) -> Path:
    """A folder as `make demo` leaves it: three results, no error record, logs."""
    results = tmp_path / "demo-results"
    (results / "logs").mkdir(parents=True)
    (results / "logs" / "localstack.json").write_text("no result\n")
    for path in (bucket / "examples").glob("*.json"):
        shutil.copy(path, results)
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS, ids=["DuckDB", "pandas"])
def test_the_documented_code_runs_on_the_folder_of_the_demo(block: str, demo: Path):
    done = subprocess.run([sys.executable, "-"], input=block, cwd=demo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if "duckdb" in block:
        assert all(name in done.stdout for name in QUERIES)
        assert "noisy.flac" in done.stdout


@pytest.mark.parametrize("name", QUERIES)
def test_the_documented_view_is_that_of_the_table(name: str, bucket: Path, database, tmp_path: Path):
    """With error records, too: the queries give in it what they give in the table of Athena."""
    [view] = re.findall(r"CREATE VIEW .*?(?=\n\"\"\")", BLOCKS[0], flags=re.S)
    connection = duckdb.connect()
    connection.execute(view.replace("demo-results/*.json", f"{bucket}/**/*.json"))
    assert answer(connection, name) == answer(database, name)


def test_expected_scores_come_from_the_card_or_from_results(bucket: Path, tmp_path: Path, capsys):
    assert drift.main([]) == 0
    assert "ExpectedScoreLow=" in capsys.readouterr().out
    assert drift.main([str(bucket)]) == 1
    assert "3 scores are too few" in capsys.readouterr().out
    many = tmp_path / "many.jsonl"
    many.write_text("\n".join(json.dumps({"score": 1 + i / 100}) for i in range(101)))
    assert drift.main([str(many)]) == 0
    assert "ExpectedScoreLow=1.25 ExpectedScoreHigh=1.75" in capsys.readouterr().out
