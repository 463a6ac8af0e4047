"""Assigns each speaker, noise kind and room to training or to development, never to both."""

import re
from pathlib import Path

import numpy as np

TRAIN, DEV = "train", "dev"
SPEAKER_SHARE, KIND_SHARE, ROOM_SHARE = 0.15, 0.20, 0.25  # of each that go to dev
MIN_SPEAKERS = 4  # a corpus with fewer is for training only: one held-out voice says little
AUDIO = (".flac", ".wav", ".ogg", ".aiff", ".aif")
# Files that mark a folder of speech or noise; the commands in training.collectors write them.
SYNTHETIC_MARK = "SYNTHETIC.txt"  # for training only, and only for a limited share of the passages
TRAIN_ONLY_MARK = "TRAIN_ONLY.txt"  # of speech and of noise

# ST-CMDS (OpenSLR 38): one flat folder, date + P + speaker + recording letter + utterance.
ST_CMDS = re.compile(r"^\d{8}(P\d{5})[A-Z]\d{4}$")

# Kinds with several names; the first pattern that the name matches decides.
ALIASES = (
    (r"thunder|storm", "thunder"),
    (r"windshield", "windshield-wipers"),
    (r"chimes", "chimes"),
    (r"(^|-)rain(-|$)", "rain"),
    (r"(^|-)winds?(-|$)", "wind"),
    (r"seagull", "seagulls"),
    (r"bird", "birds"),
    (r"(^|-)sea(-|$)|seaside|waves", "sea"),
    (r"stream|river|waterfall", "stream"),
    (r"boat|ship(-|$)", "boat"),
    (r"bonfire|campfire|fireplace|fire-crackling", "fire"),
    (r"coffee|cafe", "cafe"),
    (r"crowd|babble", "crowd"),
    (r"street|city", "street"),
    (r"traffic|road|highway", "traffic"),
    (r"subway|metro", "subway"),
    (r"train", "train"),
    (r"airplane|aircraft", "airplane"),
    (r"dog", "dog"),
    (r"cat(-|$)", "cat"),
    (r"wol(f|ves)", "wolf"),
    (r"clock", "clock"),
    (r"cricket", "crickets"),
    (r"night", "night"),
    (r"library", "library"),
    (r"office", "office"),
    (r"keyboard|typewriter", "keyboard"),
    (r"washing|dryer|laundry", "washing-machine"),
    (r"walk", "walk"),
    (r"rooster|cock", "rooster"),
)

# Development draws from every family, so that each is both trained and tested.
FAMILIES = {
    "street": r"traffic|street|subway|(^|-)bus(-|$)|electric-car",
    "voices": r"crowd|cafe|restaurant|conversation|market|(^|-)bar(-|$)",
    "rooms": r"library|office|church|carousel|temple|baby|sneeze|laborator|construction|siren",
    "machine": r"machine|fan|saw|airplane|helicopter|train|keyboard|projector|vinyl|radio|morse|clock"
    r"|submarine|wipers",
    "nature": r"rain|wind|sea|stream|thunder|fire|bird|cricket|night|jungle|water|bubbles|droplets"
    r"|village|leaves|boat",
}
TALKING = f"{FAMILIES['voices']}|{FAMILIES['rooms']}"  # these may contain talk: never a sample of "no speech"
PLAIN_KINDS = ("white-noise", "pink-noise", "brown-noise")  # the synthetic noises of training are these too


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below the folder, sorted. Raises ValueError when there is none."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO)
    if not files:
        raise ValueError(
            f"No audio file was found in {folder}, expected {', '.join(AUDIO)}: "
            "name a folder that holds some."
        )
    return files


def speaker_of(corpus: Path, file: Path) -> str:
    """``corpus/speaker``: from the name in ST-CMDS's layout, else the folder that the file lies in."""
    match = ST_CMDS.match(file.stem)
    return f"{corpus.name}/{match[1] if match else file.parent.name}"


def kind_of(file: Path) -> str:
    """The sound's kind by the file's name, or its folder's where that has no word; rain-03 is rain."""
    for name in (file.stem, file.parent.name):
        words = re.sub(r"[^a-z0-9]+", "-", name.lower())
        words = re.sub(r"(-?\d+)+(-[a-z])?$|^(\d+-)+", "", words).strip("-")
        if re.search(r"[a-z]{3}", words):
            return next((kind for pattern, kind in ALIASES if re.search(pattern, words)), words)
    raise ValueError(
        f"The name of {file} gives no kind of noise: name the file, or its folder, after the sound."
    )


def family_of(kind: str) -> str:
    return next((family for family, pattern in FAMILIES.items() if re.search(pattern, kind)), "other")


def split_speakers(speakers: dict[str, list[str]], train_only: set[str], seed: int) -> dict[str, str]:
    """{corpus: its speakers} -> {speaker: "train" or "dev"}; marked and small corpora are for training."""
    split: dict[str, str] = {}
    for corpus, names in sorted(speakers.items()):
        few = len(names) < MIN_SPEAKERS or corpus in train_only
        split |= _draw(sorted(names), 0.0 if few else SPEAKER_SHARE, seed, f"speakers {corpus}")
    return split


def split_kinds(kinds: list[str], seed: int) -> dict[str, str]:
    """Noise kinds -> {kind: "train" or "dev"}, a fifth of every family to dev."""
    split = dict.fromkeys((kind for kind in kinds if kind in PLAIN_KINDS), TRAIN)
    families: dict[str, list[str]] = {}
    for kind in sorted(set(kinds) - set(PLAIN_KINDS)):
        families.setdefault(family_of(kind), []).append(kind)
    for family, members in sorted(families.items()):
        split |= _draw(members, KIND_SHARE, seed, f"kinds {family}")
    return split


def split_rooms(rooms: list[str], seed: int) -> dict[str, str]:
    """Room responses -> {name: "train" or "dev"}."""
    return _draw(sorted(rooms), ROOM_SHARE, seed, "rooms")


def _draw(names: list[str], share: float, seed: int, label: str) -> dict[str, str]:
    """Draws the share for development, at least one of two or more unless the share is 0."""
    count = round(share * len(names))
    if share and len(names) > 1:
        count = max(1, count)
    generator = np.random.default_rng([seed, *label.encode()])
    dev = {names[index] for index in generator.permutation(len(names))[:count]}
    return {name: DEV if name in dev else TRAIN for name in names}
