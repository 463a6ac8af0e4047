"""Makes the corpus: clean speech, noise and rooms in; labelled clips, a manifest and the splits out.

    python -m training.corpus --speech DIR... --noise DIR... [--rir DIR...] --out DIR --clips N --seed S --workers W

Each --speech DIR is one corpus with a folder a speaker, or in ST-CMDS's flat layout (20170001P00001A0001.wav:
P00001 speaks). Stopped at any time, it goes on where it was. What is written is in docs/decisions/0020.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import soundfile as sf
from tqdm import tqdm

from function.features import SPEC
from training import splits
from training.degradations import room_response
from training.mixtures import Pools
from training.noises import NoisePool
from training.references import Reference, prepare, read_audio
from training.sets import DEV_SETS, TRAIN_SET, make_clip
from training.speech import SpeechPool

PATIENCE = 10  # niceness: whoever trains meanwhile comes first
PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "pesq")
_made: dict[str, Pools] = {}  # by split; filled once in each worker


def prepare_all(speech: list[Path], out: Path, workers: int) -> list[Reference]:
    """Prepares every recording below the folders that ``out`` has no record of; rejected ones included."""
    listed = out / "references.jsonl"
    known = {line["source"]: Reference(**line) for line in _whole_lines(listed)}
    jobs = []
    for corpus in speech:
        for file in splits.audio_files(corpus):
            speaker = splits.speaker_of(corpus, file)
            cached = (out / "references" / corpus.name / file.relative_to(corpus)).with_suffix(".flac")
            jobs.append((file, corpus.name, speaker, cached))
    missing = [job for job in jobs if str(job[0]) not in known]
    _write_lines(listed, [reference.as_dict() for reference in known.values()])
    with listed.open("a") as record, _pool(workers, None) as pool:
        for reference in tqdm(pool.imap_unordered(_prepare, missing, 8), "references", len(missing), unit="file"):
            known[reference.source] = reference
            record.write(json.dumps(reference.as_dict()) + "\n")
    return [known[str(job[0])] for job in jobs]


def make_splits(references: list[Reference], synthetic: set[str], noise: list[Path], rir: list[Path], seed: int) -> dict:
    """{"speakers", "noise_kinds", "rooms"}: {name: "train" or "dev"}, and the noise and room files by name."""
    speakers: dict[str, list[str]] = {}
    for reference in references:
        if not reference.rejected and reference.speaker not in speakers.setdefault(reference.corpus, []):
            speakers[reference.corpus].append(reference.speaker)
    noise_files: dict[str, list[str]] = {}
    for file in (file for folder in noise for file in splits.audio_files(folder)):
        noise_files.setdefault(splits.kind_of(file), []).append(str(file))
    room_files = {file.stem: str(file) for folder in rir for file in splits.audio_files(folder)}
    return {
        "speakers": splits.split_speakers(speakers, synthetic, seed),
        "noise_kinds": splits.split_kinds(sorted(noise_files), seed),
        "rooms": splits.split_rooms(sorted(room_files), seed),
        "noise_files": noise_files,
        "room_files": room_files,
    }


def make_pools(references: list[Reference], synthetic: set[str], split: dict, name: str) -> Pools:
    """What the split ``name`` ("train" or "dev") draws from. Raises ValueError when it has no speech."""
    usable = [r for r in references if not r.rejected and split["speakers"][r.speaker] == name]
    speech = SpeechPool(usable, synthetic)
    files = {kind: tuple(paths) for kind, paths in split["noise_files"].items() if split["noise_kinds"][kind] == name}
    rooms = [(room, path) for room, path in sorted(split["room_files"].items()) if split["rooms"][room] == name]
    responses = tuple((room, room_response(read_audio(Path(path)))) for room, path in rooms)
    return Pools(speech, NoisePool(files, speech, name), responses)


def build(arguments: argparse.Namespace) -> None:
    """Prepares, splits and makes what is missing, the development sets first."""
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    given = {"seed": arguments.seed} | {name: [str(path) for path in getattr(arguments, name)] for name in ("speech", "noise", "rir")}
    _same_as_before(out, given)
    synthetic = {path.name for path in arguments.speech if (path / splits.SYNTHETIC_MARK).is_file()}
    references = prepare_all(arguments.speech, out, arguments.workers)
    split = make_splits(references, synthetic, arguments.noise, arguments.rir, arguments.seed)
    (out / "splits.json").write_text(json.dumps(split, indent=1, ensure_ascii=False))
    manifest = out / "manifest.jsonl"
    finished = [line for line in _whole_lines(manifest) if (out / line["set"] / f"{line['clip']}.npz").is_file()]
    _write_lines(manifest, finished)
    known = {(line["set"], int(line["clip"])) for line in finished}
    jobs = [job for job in _jobs(arguments.clips) if job not in known]
    for name in (*DEV_SETS, TRAIN_SET):
        (out / name).mkdir(exist_ok=True)
    redraws = sum(line["redraws"] for line in finished)
    summary = {"arguments": {**given, "clips": arguments.clips}, "references": _counts(references), "spec": SPEC.as_dict()}
    summary["versions"] = {name: version(name) for name in PACKAGES}
    _write_json(out / "corpus.json", {**summary, "finished": False})
    with manifest.open("a") as record, _pool(arguments.workers, (references, synthetic, split, out, arguments.seed)) as pool:
        for line in tqdm(pool.imap_unordered(_make, jobs, 2), "clips", len(jobs), unit="clip"):
            record.write(json.dumps(line) + "\n")
            record.flush()
            known.add((line["set"], int(line["clip"])))
            redraws += line["redraws"]
    clips = dict(Counter(name for name, _ in known))
    _write_json(out / "corpus.json", {**summary, "finished": True, "made": clips, "redraws": redraws})


def _jobs(clips: int) -> Iterator[tuple[str, int]]:
    for name, count in {**DEV_SETS, TRAIN_SET: clips}.items():
        yield from ((name, index) for index in range(count))


def _prepare(job: tuple) -> Reference:
    return prepare(*job)


def _make(job: tuple[str, int]) -> dict:
    """Makes one clip and writes it, the .npz last and in one step: where it is, the clip is whole."""
    name, index = job
    clip = make_clip(_made["seed"], name, index, _made["train" if name == TRAIN_SET else "dev"])
    path = _made["out"] / name / f"{index:07d}.npz"
    if name != TRAIN_SET:
        sf.write(path.with_suffix(".flac"), clip.samples, SPEC.sample_rate_hz, subtype="PCM_16")
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.savez(file, **clip.arrays)
    unfinished.replace(path)
    return clip.record


def _pool(workers: int, sources: tuple | None) -> Pool:
    """Workers of one thread each. They are spawned: forking a process that has threads can hang."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    return multiprocessing.get_context("spawn").Pool(workers, _begin, (sources,))


def _begin(sources: tuple | None) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, max(PATIENCE, os.getpriority(os.PRIO_PROCESS, 0)))
    if sources:
        references, synthetic, split, out, seed = sources
        _made.update({name: make_pools(references, synthetic, split, name) for name in (splits.TRAIN, splits.DEV)})
        _made.update(out=out, seed=seed)


def _counts(references: list[Reference]) -> dict:
    """By corpus: how many recordings are used, their hours, and how many were rejected for which reason."""
    counts = {}
    for name in sorted({reference.corpus for reference in references}):
        mine = [reference for reference in references if reference.corpus == name]
        kept = [reference for reference in mine if not reference.rejected]
        scores = [reference.pesq for reference in kept if reference.pesq is not None]
        counts[name] = {
            "kept": len(kept),
            "hours": round(sum(reference.seconds for reference in kept) / 3600, 3),
            "rejected": dict(Counter(reference.rejected for reference in mine if reference.rejected)),
            "median_floor_before_db": _median([reference.floor_before_db for reference in kept]),
            "median_floor_after_db": _median([reference.floor_after_db for reference in kept]),
            "median_pesq_cleaned": _median(scores),
        }
    return counts


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def _same_as_before(out: Path, given: dict) -> None:
    path = out / "corpus.json"
    if path.is_file():
        before = json.loads(path.read_text())["arguments"]
        if any(before[name] != value for name, value in given.items()):
            raise ValueError(f"{out} holds a corpus made with {before}, expected the same seed and folders: name another --out.")


def _whole_lines(path: Path) -> list[dict]:
    """The records of a file of JSON lines; a last one cut short by a kill is left out."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.is_file() else []


def _write_lines(path: Path, records: list[dict]) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text("".join(json.dumps(record) + "\n" for record in records))
    unfinished.replace(path)


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.corpus", description=__doc__.splitlines()[0])
    parser.add_argument("--speech", type=Path, nargs="+", required=True, help="folders of clean speech, one a corpus")
    parser.add_argument("--noise", type=Path, nargs="+", required=True, help="folders of noise, files named after what is heard")
    parser.add_argument("--rir", type=Path, nargs="*", default=[], help="folders of room impulse responses")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, required=True, help="how many clips the train set gets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    try:
        build(parser.parse_args())
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
