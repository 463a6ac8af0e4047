"""The corpus's sources: prepared references, noise kinds and rooms, each in its split."""

import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training.corpus import splits
from training.corpus.mixtures import Pools
from training.corpus.noise_pool import NoisePool
from training.corpus.references import Reference, prepare, read_audio
from training.corpus.speech import SpeechPool, UnlabelledPool
from training.degradations.reverberation import resized, room_response

ROOM_SIZES = (0.6, 0.8, 1.0, 1.3, 1.7)  # factors for the rooms of the train set
NICENESS = 10  # a training run on the same machine comes first


def prepare_all(
    speech: list[Path], out: Path, workers: int, usable: Callable[[Path], bool] = lambda path: True
) -> list[Reference]:
    """Prepares the ``usable`` recordings that ``out`` has no record of; returns all, rejected ones too."""
    listed = out / "references.jsonl"
    known = {line["source"]: Reference(**line) for line in whole_lines(listed)}
    jobs = []
    for corpus in speech:
        for file in filter(usable, splits.audio_files(corpus)):
            speaker = splits.speaker_of(corpus, file)
            cached = (out / "references" / corpus.name / file.relative_to(corpus)).with_suffix(".flac")
            jobs.append((file, corpus.name, speaker, cached))
    missing = [job for job in jobs if str(job[0]) not in known]
    write_lines(listed, [reference.as_dict() for reference in known.values()])
    if not missing:
        return [known[str(job[0])] for job in jobs]
    with listed.open("a") as record, spawned(workers) as pool:
        for reference in tqdm(
            pool.imap_unordered(_prepare, missing, 8), "references", len(missing), unit="file"
        ):
            known[reference.source] = reference
            record.write(json.dumps(reference.as_dict()) + "\n")
    return [known[str(job[0])] for job in jobs]


def make_splits(
    references: list[Reference], train_only: set[str], noise: list[Path], rir: list[Path], seed: int
) -> dict:
    """{"speakers", "noise_kinds", "rooms"}: {name: "train" or "dev"}, and noise and room files by name.

    Noise folders that are marked for training only lose the kinds of the development split.
    """
    speakers: dict[str, list[str]] = {}
    for reference in references:
        if not reference.rejected and reference.speaker not in speakers.setdefault(reference.corpus, []):
            speakers[reference.corpus].append(reference.speaker)
    marked = [folder for folder in noise if (folder / splits.TRAIN_ONLY_MARK).is_file()]
    noise_files = _by_kind([folder for folder in noise if folder not in marked])
    kinds = splits.split_kinds(sorted(noise_files), seed)
    more = {kind: files for kind, files in _by_kind(marked).items() if kinds.get(kind) != splits.DEV}
    room_files = {file.stem: str(file) for folder in rir for file in splits.audio_files(folder)}
    return {
        "speakers": splits.split_speakers(speakers, train_only, seed),
        "noise_kinds": dict.fromkeys(more, splits.TRAIN) | kinds,
        "rooms": splits.split_rooms(sorted(room_files), seed),
        "noise_files": noise_files,
        "train_only_noise_files": more,
        "room_files": room_files,
    }


def _by_kind(folders: list[Path]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for file in (file for folder in folders for file in splits.audio_files(folder)):
        files.setdefault(splits.kind_of(file), []).append(str(file))
    return files


def make_pools(
    references: list[Reference], synthetic: set[str], split: dict, name: str, unlabelled: Sequence[Path] = ()
) -> Pools:
    """The pools of the split ``name``; the folders ``unlabelled`` are for training, without dev speakers,
    which are known by the names of their folder and their corpus.

    Raises ValueError when the split has no speech or no noise.
    """
    usable = [r for r in references if not r.rejected and split["speakers"][r.speaker] == name]
    # For training, many speakers are worth more than many hours of one. Development keeps drawing by hours,
    # so that measures stay comparable.
    speech = SpeechPool(usable, synthetic, by_speakers=name == splits.TRAIN)
    files = {
        kind: tuple(paths)
        for kind, paths in split["noise_files"].items()
        if split["noise_kinds"][kind] == name
    }
    more = split["train_only_noise_files"] if name == splits.TRAIN else {}
    train_only = {kind: tuple(paths) for kind, paths in more.items()}
    rooms = [
        (room, path) for room, path in sorted(split["room_files"].items()) if split["rooms"][room] == name
    ]
    # A response at another speed is that of a smaller or larger room: there are few recorded ones.
    sizes = ROOM_SIZES if name == splits.TRAIN else (1.0,)
    responses = tuple(
        (f"{room} x {size}", room_response(resized(read_audio(Path(path)), size)))
        for room, path in rooms
        for size in sizes
    )
    noises = NoisePool(files, speech, name, train_only)
    return Pools(speech, noises, responses, _unlabelled(unlabelled if name == splits.TRAIN else (), split))


def _unlabelled(folders: Sequence[Path], split: dict) -> UnlabelledPool:
    files: dict[str, list[str]] = {}
    for corpus, file in ((folder, file) for folder in folders for file in splits.audio_files(folder)):
        speaker = splits.speaker_of(corpus, file)
        if split["speakers"].get(speaker) != splits.DEV:
            files.setdefault(speaker, []).append(str(file))
    return UnlabelledPool(files)


def count_references(references: list[Reference]) -> dict:
    """By corpus: the number of recordings used, their hours, and the number rejected, by reason."""
    counts = {}
    for name in sorted({reference.corpus for reference in references}):
        members = [reference for reference in references if reference.corpus == name]
        kept = [reference for reference in members if not reference.rejected]
        scores = [reference.pesq for reference in kept if reference.pesq is not None]
        counts[name] = {
            "kept": len(kept),
            "hours": round(sum(reference.seconds for reference in kept) / 3600, 3),
            "rejected": dict(Counter(reference.rejected for reference in members if reference.rejected)),
            "median_floor_before_db": _median([reference.floor_before_db for reference in kept]),
            "median_floor_after_db": _median([reference.floor_after_db for reference in kept]),
            "median_pesq_cleaned": _median(scores),
        }
    return counts


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def spawned(workers: int, initialise: Callable | None = None, arguments: tuple = ()) -> Pool:
    """Workers of one thread each that call ``initialise(*arguments)`` first; forks can hang."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    return multiprocessing.get_context("spawn").Pool(workers, _initialise, (initialise, arguments))


def whole_lines(path: Path) -> list[dict]:
    """The records of a file of JSON lines; a last line that a kill cut short is skipped."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.is_file() else []


def write_lines(path: Path, records: list[dict]) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text("".join(json.dumps(record) + "\n" for record in records))
    unfinished.replace(path)


def _prepare(job: tuple) -> Reference:
    return prepare(*job)


def _initialise(initialise: Callable | None, arguments: tuple) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    if initialise:
        initialise(*arguments)
