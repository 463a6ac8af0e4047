"""Makes clean speech with the synthesisers in Debian, as a supplement to recorded references.

    python -m training.collectors.synthesize --out DIR [--sentences N]

It writes one folder per voice, which the corpus builder treats as a speaker. Synthetic speech has hardly any
noise floor, and adds languages that the recorded corpora lack.
"""

import argparse
import io
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from tqdm import tqdm

from aqscore.model.features import SPEC
from training.corpus.splits import SYNTHETIC_MARK

SEED = 1
PEAK = 0.5  # the loudest sample; the voices' levels differ by tens of decibels
MIN_S = 1.0  # shorter output means that the voice can't say the sentence

# Subjects, verbs, objects and places: every combination is a sentence.
GRAMMARS = {
    "en": (
        "the old man|my sister|a young teacher|nobody here|our neighbour|the quiet child|every farmer",
        "carried|forgot|painted|wanted to sell|found|measured|hid|would rather keep",
        "seven boxes|the yellow bicycle|a jar of honey|fresh vegetables|two short letters|the broken clock",
        "near the river|before breakfast|in the large kitchen|on Thursday|behind the church",
    ),
    "de": (
        "der alte Mann|meine Schwester|ein junger Lehrer|unser Nachbar|das stille Kind|jeder Bauer",
        "verkauft|findet|malt|versteckt|vergisst|zeichnet",
        "sieben Kisten|das gelbe Fahrrad|frisches Gemüse|zwei kurze Briefe|die kaputte Uhr",
        "am Fluss|vor dem Frühstück|in der großen Küche|hinter der Kirche|am Donnerstag",
    ),
    "es": (
        "el viejo|mi hermana|una maestra joven|nuestro vecino|la niña callada|cada campesino",
        "vende|encuentra|pinta|esconde|olvida|busca",
        "siete cajas|la bicicleta amarilla|verduras frescas|dos cartas cortas|el reloj roto",
        "cerca del río|antes del desayuno|en la cocina grande|detrás de la iglesia|el jueves",
    ),
    "it": (
        "il vecchio|mia sorella|un giovane maestro|il nostro vicino|la bambina silenziosa|ogni contadino",
        "vende|trova|dipinge|nasconde|dimentica|cerca",
        "sette scatole|la bicicletta gialla|la verdura fresca|due lettere brevi|un vecchio orologio",
        "vicino al fiume|prima di colazione|nella grande cucina|dietro la chiesa|ogni martedì",
    ),
    "fi": (
        "vanha mies|minun siskoni|nuori opettaja|meidän naapuri|hiljainen lapsi",
        "myy|löytää|maalaa|unohtaa|piirtää",
        "seitsemän laatikkoa|keltaisen pyörän|tuoreita vihanneksia|kaksi lyhyttä kirjettä",
        "joen rannalla|ennen aamiaista|suuressa keittiössä|kirkon takana|torstaina",
    ),
    "cs": (
        "starý muž|moje sestra|mladý učitel|náš soused|tiché dítě",
        "prodává|hledá|maluje|schovává|nese",
        "sedm krabic|žluté kolo|čerstvou zeleninu|dva krátké dopisy",
        "u řeky|před snídaní|ve velké kuchyni|za kostelem|ve čtvrtek",
    ),
    "ca": (
        "el vell|la meva germana|un mestre jove|el nostre veí|cada pagès",
        "ven|troba|pinta|amaga|busca",
        "set caixes|la bicicleta groga|verdura fresca|dues cartes curtes",
        "a prop del riu|abans d'esmorzar|a la cuina gran|darrere l'església",
    ),
    "ru": (
        "старый человек|моя сестра|молодой учитель|наш сосед|тихий ребёнок",
        "продаёт|находит|рисует|прячет|несёт",
        "семь коробок|жёлтый велосипед|свежие овощи|два коротких письма",
        "у реки|до завтрака|на большой кухне|за церковью|в четверг",
    ),
}
ESPEAK_VARIANTS = ("f1", "belinda", "m3", "m7", "klatt4")  # without an echo
FESTIVAL = {
    "en": ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"),
    "it": ("lp_diphone", "pc_diphone"),
    "fi": ("hy_fi_mv_diphone", "suo_fi_lj_diphone"),
    "cs": ("czech_dita", "czech_krb", "czech_machac", "czech_ph"),
    "ca": ("upc_ca_ona_hts",),
    "ru": ("msu_ru_nsh_clunits",),
}
FESTIVAL_ENCODING = {"cs": "iso-8859-2", "ru": "utf-8"}  # the others read ISO 8859-1
PICO = {"en": ("en-US", "en-GB"), "de": ("de-DE",), "es": ("es-ES",), "it": ("it-IT",)}
RHVOICE = {"en": ("alan", "bdl", "slt"), "ru": ("anna", "aleksandr", "elena", "irina")}


@dataclass(frozen=True)
class Voice:
    """A voice's folder name, its language, the command that writes {file}, and its text encoding."""

    name: str
    language: str
    command: tuple[str, ...]
    encoding: str = "utf-8"


def voices() -> list[Voice]:
    """Every voice of the synthesisers on PATH; voices without installed data fail in ``speak``."""
    found = []
    if shutil.which("flite"):
        found += [
            Voice(f"flite-{v}", "en", ("flite", "-voice", v, "-o", "{file}"))
            for v in ("kal16", "awb", "rms", "slt")
        ]
    if shutil.which("espeak-ng"):
        for language in GRAMMARS:
            for variant in ESPEAK_VARIANTS:
                espeak = ("espeak-ng", "-v", f"{language}+{variant}", "-w", "{file}", "--stdin")
                found.append(Voice(f"espeak-{language}-{variant}", language, espeak))
    if shutil.which("text2wave"):
        for language, names in FESTIVAL.items():
            encoding = FESTIVAL_ENCODING.get(language, "iso-8859-1")
            for name in names:
                command = ("text2wave", "-eval", f"(voice_{name})", "-o", "{file}")
                found.append(Voice(f"festival-{name}", language, command, encoding))
    if shutil.which("pico2wave"):
        found += [
            Voice(f"pico-{v}", lang, ("pico2wave", "-l", v, "-w", "{file}"))
            for lang, vs in PICO.items()
            for v in vs
        ]
    if shutil.which("RHVoice-test"):
        found += [
            Voice(f"rhvoice-{v}", lang, ("RHVoice-test", "-p", v, "-o", "{file}"))
            for lang, vs in RHVOICE.items()
            for v in vs
        ]
    return found


def speak(voice: Voice, sentence: str, scratch: Path) -> np.ndarray | None:
    """One sentence as (n,) float32 at 16 kHz, or None when the voice can't say it."""
    scratch.unlink(missing_ok=True)
    command = [part.format(file=scratch) for part in voice.command]
    result = subprocess.run(
        command, input=sentence.encode(voice.encoding, "replace"), capture_output=True, check=False
    )
    if result.returncode or not scratch.is_file():
        return None
    samples, rate = sf.read(io.BytesIO(scratch.read_bytes()), dtype="float32")
    if len(samples) < MIN_S * rate or not np.any(samples):
        return None
    return at_peak(samples, rate)


def at_peak(samples: np.ndarray, rate: int) -> np.ndarray:
    """(n,) float32 at 16 kHz, its loudest sample at ``PEAK``."""
    samples = soxr.resample(samples, rate, SPEC.sample_rate_hz)
    return samples * np.float32(PEAK / np.max(np.abs(samples)))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.collectors.synthesize", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=1500, help="total number, over all voices")
    arguments = parser.parse_args()
    found = voices()
    if not found:
        sys.exit(
            "No speech synthesiser was found on PATH, expected flite, espeak-ng, text2wave, pico2wave or "
            "RHVoice-test: install one, for example with apt-get install flite espeak-ng festival."
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / SYNTHETIC_MARK).write_text(
        "Made by training.collectors.synthesize: for training only.\n"
    )
    generator = np.random.default_rng(SEED)
    failed = set()
    for number in tqdm(range(arguments.sentences), unit="sentence"):
        voice = found[number % len(found)]
        words = [str(generator.choice(choices.split("|"))) for choices in GRAMMARS[voice.language]]
        folder = arguments.out / voice.name
        folder.mkdir(parents=True, exist_ok=True)
        samples = speak(voice, " ".join(words) + ".", folder / "unfinished.wav")
        (folder / "unfinished.wav").unlink(missing_ok=True)
        if samples is None:
            failed.add(voice.name)
            continue
        sf.write(folder / f"{number // len(found):04d}.flac", samples, SPEC.sample_rate_hz, subtype="PCM_16")
    if failed:
        print("Voices with unusable output, at least once:", ", ".join(sorted(failed)), file=sys.stderr)


if __name__ == "__main__":
    main()
