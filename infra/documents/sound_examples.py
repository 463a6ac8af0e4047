"""Makes nine short recordings of one sentence, one for each cause of a low score, and scores them.

    python -m infra.documents.sound_examples sounds

writes the recordings into the folder sounds, and prints their table. `python -m infra.documents` writes the
table into docs/score.md.

The sentence is the first half of examples/clean.flac. PESQ needs the package `pesq`, and the degradations
need SciPy: the extra `train` has both.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from aqscore import Scorer
from infra.documents.sections import DOCS, ROOT, write_section
from training.degradations.bandwidth import filtered
from training.degradations.codecs import code
from training.degradations.gain import moving_level
from training.degradations.packet_loss import lost_packets
from training.degradations.reverberation import apply_room, decaying_response
from training.degradations.synthetic_noise import computed
from training.levels import active_level
from training.spectra import quiet_spectrum, subtraction, to_samples, to_spectrum

PAGE = DOCS / "score.md"
SECTION = "sound examples"
RATE = 16_000
SENTENCE_S = 3.1
FADE_S = 0.025
LEVEL = 0.5  # of the example's: leaves room for noise, and keeps the files small
PACKET = 320  # samples, 20 ms
EARLY = 40  # samples of direct sound, 2.5 ms
SEED = 1


@dataclass(frozen=True)
class Example:
    """A recording of the sentence: file name, cause, description, and how to make it from (n,) samples."""

    name: str
    cause: str
    description: str
    make: Callable[[np.ndarray], np.ndarray]


def sentence() -> np.ndarray:
    """(n,) float32: the first sentence of examples/clean.flac, faded out."""
    samples, _ = sf.read(ROOT / "examples" / "clean.flac", dtype="float32", frames=round(SENTENCE_S * RATE))
    fade = round(FADE_S * RATE)
    samples[-fade:] *= np.linspace(1, 0, fade)
    return np.float32(LEVEL) * samples


def noisy(speech: np.ndarray, snr_db: float) -> np.ndarray:
    """(n,) speech in pink noise, ``snr_db`` below the level of active speech."""
    noise = computed("pink-noise", np.random.default_rng(SEED), len(speech))
    return speech + noise * active_level(speech) * 10 ** (-snr_db / 20)


def pumping(speech: np.ndarray) -> np.ndarray:
    """(n,) speech after a compressor that follows the level of 0.1 s, and amplifies by up to 36 dB."""
    return speech * moving_level(speech, RATE // 10).clip(0.01) ** -0.9


def losing_packets(speech: np.ndarray, share: float) -> np.ndarray:
    """(n,) speech in which a share of the packets is silent."""
    packets = -(-len(speech) // PACKET)
    lost = lost_packets(packets, share, 1.0, np.random.default_rng(SEED))
    return np.where(np.repeat(lost, PACKET)[: len(speech)], 0, speech)


def suppressed(speech: np.ndarray, snr_db: float) -> np.ndarray:
    """(n,) speech in noise, after spectral subtraction of four times the noise with a floor of -26 dB."""
    spectrum = to_spectrum(noisy(speech, snr_db))
    return to_samples(spectrum * subtraction(spectrum, quiet_spectrum(spectrum), 0.05, 4.0), len(speech))


def clipped(speech: np.ndarray) -> np.ndarray:
    """(n,) speech cut off at its own active level."""
    level = active_level(speech)
    return np.clip(speech, -level, level)


def reverberant(speech: np.ndarray) -> np.ndarray:
    """(n,) speech convolved with decaying noise, a simple room impulse response; as loud as before."""
    output = apply_room(speech, decaying_response(0.5, np.random.default_rng(SEED)), 0.0, EARLY)
    return output * active_level(speech) / active_level(output)


# In the order of PESQ.
EXAMPLES = (
    Example("01-clean", "none", "the sentence itself", lambda speech: speech),
    Example(
        "02-level-changes",
        "level changes",
        "a compressor raises the pauses by up to 36 dB",
        pumping,
    ),
    Example(
        "03-band-limit", "band limit", "low-pass at 3.4 kHz", lambda speech: filtered(speech, None, 3400.0)
    ),
    Example(
        "04-coding",
        "coding",
        "Opus at its lowest bit rate",
        lambda speech: code(speech, "opus", RATE, 0.99),
    ),
    Example(
        "05-packet-loss",
        "packet loss",
        "3 % of the packets of 20 ms are silent",
        lambda speech: losing_packets(speech, 0.03),
    ),
    Example("06-noise", "noise", "pink noise, 30 dB below the speech", lambda speech: noisy(speech, 30.0)),
    Example(
        "07-suppression",
        "suppression artefacts",
        "spectral subtraction of pink noise at 10 dB SNR",
        lambda speech: suppressed(speech, 10.0),
    ),
    Example("08-clipping", "clipping", "the peaks cut off at the level of active speech", clipped),
    Example(
        "09-reverberation",
        "reverberation",
        "decays by 60 dB in 0.5 s, as loud as the direct sound",
        reverberant,
    ),
)


def write(folder: Path) -> list[Path]:
    """Writes the recordings, FLAC at 16 kHz, and returns their paths in the order of ``EXAMPLES``."""
    folder.mkdir(parents=True, exist_ok=True)
    speech = sentence()
    paths = [folder / f"{example.name}.flac" for example in EXAMPLES]
    for example, path in zip(EXAMPLES, paths, strict=True):
        sf.write(path, np.clip(example.make(speech), -1, 1), RATE, subtype="PCM_16")
    return paths


def pesq_of(path: Path, reference: Path) -> str:
    """PESQ-WB MOS-LQO with two digits; a remark where the package is missing."""
    try:
        from pesq import pesq
    except ImportError:
        return "not measured"
    return f"{pesq(RATE, sf.read(reference)[0], sf.read(path)[0], 'wb'):.2f}"


def table(paths: list[Path]) -> str:
    """The table of the recordings in Markdown: cause, treatment, PESQ, and aqscore's score."""
    scorer = Scorer()
    version = scorer.score(paths[0], frames=False).model.version
    rows = [
        f"| file | cause | treatment | PESQ-WB | aqscore, model {version} | 90 % interval | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for example, path in zip(EXAMPLES, paths, strict=True):
        report = scorer.score(path, frames=False)
        if report.score is None or report.interval is None:
            raise RuntimeError(f"{path.name} has no score: {report.warnings}")
        lower, upper = report.interval
        rows.append(
            f"| {path.name} | {example.cause} | {example.description} | {pesq_of(path, paths[0])} "
            f"| {report.score:.2f} | {lower:.2f} to {upper:.2f} | {report.verdict} |"
        )
    return "\n".join(rows) + "\n"


def update() -> None:
    """Writes the table into the page."""
    with tempfile.TemporaryDirectory() as folder:
        write_section(PAGE, SECTION, table(write(Path(folder))))


def main() -> None:
    """Writes the recordings into a folder, and prints their table."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.documents.sound_examples", description="Makes and scores short recordings."
    )
    parser.add_argument("folder", type=Path, help="the folder for the recordings")
    print(table(write(parser.parse_args().folder)), end="")


if __name__ == "__main__":
    main()
