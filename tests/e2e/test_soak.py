"""A small fault run; `make soak` is the large one."""

from pathlib import Path

from infra.soak.run import run

OBJECTS = 30


def test_each_object_has_one_result_in_spite_of_faults(installed: None, tmp_path: Path) -> None:
    findings = run(OBJECTS, seed=7, logs=tmp_path, hidden_s=20, attempts=3, pause_s=4, limit_s=600)
    assert findings.wrong == []
    assert findings.dead_letters_are_expected
    faults = {"503", "time-out", "reset", "truncated", "kills", "FilesDuplicate"}
    assert faults <= {name for name, count in findings.counts.items() if count}
