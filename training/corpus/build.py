r"""Makes the corpus: clean speech, noise and rooms in; labelled clips, a manifest and the splits out.

    python -m training.corpus.build --speech DIR... --noise DIR... [--rir DIR...] --out DIR \
        --clips N [--screen mos.csv] [--teacher model_best.pt distillmos] [--unlabelled DIR...] [--seed S] \
        [--workers W]

Each --speech DIR is one corpus with one folder per speaker, or in ST-CMDS's flat layout
(20170001P00001A0001.wav is speaker P00001). It can be stopped at any time, and resumes.

OUT gets manifest.jsonl (one line per clip), SET/NNNNNNN.npz (frames, overall, mos, frame_scores, costs,
speech, reference) with the audio beside it in the development sets, splits.json, references.jsonl and
corpus.json. training/README.md describes the arrays.
"""

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile as sf
from tqdm import tqdm

from aqscore.model.features import SPEC
from training.corpus import splits
from training.corpus.clips import make_clip
from training.corpus.mixtures import Pools
from training.corpus.sets import DEV_SETS, TRAIN_SET
from training.corpus.sources import (
    count_references,
    make_pools,
    make_splits,
    prepare_all,
    spawned,
    whole_lines,
    write_lines,
)
from training.teachers.mean import load_teacher

PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "pesq")
_worker: dict = {}  # a worker process's state: "out", "seed", "teacher", and the Pools by split


def build(arguments: argparse.Namespace) -> None:
    """Prepares the references, splits the sources and makes the missing clips, the development sets first.

    ``arguments`` are those of the command. Raises ValueError when ``out`` holds another corpus, a folder has
    no audio, or a split has no speech or no noise.
    """
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    sources = {"seed": arguments.seed} | {
        name: [str(path) for path in getattr(arguments, name)]
        for name in ("speech", "noise", "rir", "unlabelled")
    }
    sources["teacher"] = [Path(name).name for name in arguments.teacher]
    if arguments.teacher:
        load_teacher(arguments.teacher)  # a missing one is an error here: in the workers, it would hang
    if arguments.unlabelled and not arguments.teacher:
        raise ValueError(
            "--unlabelled was given without --teacher, expected one: nothing else can label them."
        )
    _check_sources(out, sources)
    synthetic, train_only = (
        {path.name for path in arguments.speech if (path / mark).is_file()}
        for mark in (splits.SYNTHETIC_MARK, splits.TRAIN_ONLY_MARK)
    )
    clean = _clean_to_listeners(arguments.screen, arguments.min_mos) if arguments.screen else None
    references = prepare_all(
        arguments.speech, out, arguments.workers, lambda path: clean is None or path.resolve() in clean
    )
    split = make_splits(references, synthetic | train_only, arguments.noise, arguments.rir, arguments.seed)
    (out / "splits.json").write_text(json.dumps(split, indent=1, ensure_ascii=False))
    pools = {
        name: make_pools(references, synthetic, split, name, arguments.unlabelled)
        for name in (splits.TRAIN, splits.DEV)
    }
    manifest = out / "manifest.jsonl"
    finished = [
        line for line in whole_lines(manifest) if (out / line["set"] / f"{line['clip']}.npz").is_file()
    ]
    write_lines(manifest, finished)
    known = {(line["set"], int(line["clip"])) for line in finished}
    jobs = [job for job in _jobs(arguments.clips) if job not in known]
    for cut_short in out.glob("*/*.tmp"):
        cut_short.unlink()
    for name in (*DEV_SETS, TRAIN_SET):
        (out / name).mkdir(exist_ok=True)
    redraws = sum(line["redraws"] for line in finished)
    summary = {
        "arguments": {**sources, "clips": arguments.clips},
        "references": count_references(references),
        "spec": SPEC.as_dict(),
    }
    summary["versions"] = {name: version(name) for name in PACKAGES}
    _write_json(out / "corpus.json", {**summary, "finished": False})
    with (
        manifest.open("a") as record,
        spawned(arguments.workers, _initialise, (pools, out, arguments.seed, arguments.teacher)) as pool,
    ):
        for line in tqdm(pool.imap_unordered(_make, jobs, 2), "clips", len(jobs), unit="clip"):
            record.write(json.dumps(line) + "\n")
            record.flush()
            known.add((line["set"], int(line["clip"])))
            redraws += line["redraws"]
    clips = dict(Counter(name for name, _ in known))
    _write_json(out / "corpus.json", {**summary, "finished": True, "made": clips, "redraws": redraws})


def _clean_to_listeners(table: Path, minimum: float) -> set[Path]:
    """Recordings of a CSV of path and mos, as training.teachers.dnsmos_pro writes it, from ``minimum`` on."""
    with table.open(newline="") as file:
        return {Path(row["path"]).resolve() for row in csv.DictReader(file) if float(row["mos"]) >= minimum}


def _jobs(clips: int) -> Iterator[tuple[str, int]]:
    for name, count in {**DEV_SETS, TRAIN_SET: clips}.items():
        yield from ((name, index) for index in range(count))


def _make(job: tuple[str, int]) -> dict:
    """Makes one clip and writes it, the .npz last and atomically: where it exists, the clip is complete."""
    name, index = job
    pools = _worker[splits.TRAIN if name == TRAIN_SET else splits.DEV]
    clip = make_clip(_worker["seed"], name, index, pools, _worker["teacher"])
    path = _worker["out"] / name / f"{index:07d}.npz"
    if name != TRAIN_SET:
        sf.write(path.with_suffix(".flac"), clip.samples, SPEC.sample_rate_hz, subtype="PCM_16")
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.savez(file, **clip.arrays)
    unfinished.replace(path)
    return clip.record


def _initialise(pools: dict[str, Pools], out: Path, seed: int, teacher: list[str]) -> None:
    _worker.update(pools, out=out, seed=seed, teacher=load_teacher(teacher) if teacher else None)


def _check_sources(out: Path, sources: dict) -> None:
    path = out / "corpus.json"
    if path.is_file():
        before = {"unlabelled": []} | json.loads(path.read_text())["arguments"]
        if not isinstance(before["teacher"], list):  # written when there was one at most
            before["teacher"] = [before["teacher"]] if before["teacher"] else []
        if any(before.get(name) != value for name, value in sources.items()):
            raise ValueError(
                f"{out} holds a corpus made with {before}, expected the same seed, folders and teachers, "
                f"{sources}: name another --out."
            )


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.corpus.build", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--speech", type=Path, nargs="+", required=True, help="folders of clean speech, one a corpus"
    )
    parser.add_argument(
        "--noise",
        type=Path,
        nargs="+",
        required=True,
        help="folders of noise, files named after the sound",
    )
    parser.add_argument("--rir", type=Path, nargs="*", default=[], help="folders of room impulse responses")
    parser.add_argument(
        "--screen", type=Path, help="CSV of path and mos: references below --min-mos are left out"
    )
    parser.add_argument(
        "--min-mos", type=float, default=3.4, help="lowest score of a reference (%(default)s)"
    )
    parser.add_argument(
        "--teacher",
        nargs="+",
        default=[],
        help="label clips with the mean listeners' score of these: model_best.pt of DNSMOS Pro, distillmos",
    )
    parser.add_argument(
        "--unlabelled",
        type=Path,
        nargs="+",
        default=[],
        help="folders of speech of any quality, which only the teachers label, for a fifth of the train set",
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, required=True, help="number of clips in the train set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    try:
        build(parser.parse_args())
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
