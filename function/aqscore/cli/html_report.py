"""The HTML report: the results in the components of the page, as one file that works anywhere."""

import base64
import json
import mimetypes
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aqscore.http.bundle import bundle
from aqscore.report import ErrorRecord, FileSource, Report

# A report has at most so many values of frames in all: 1,000 files stay a few megabytes.
MAX_VALUES = 1_000_000
MIN_VALUES_EACH = 200
MAX_SOUND_BYTES = 100_000_000  # of one recording: browsers don't take longer texts
BASE64_LENGTH = 4 / 3
RESULTS = '<script type="module">'


def write_html(
    results: Sequence[Report | ErrorRecord],
    path: Path,
    *,
    command: str | None = None,
    embed_audio: bool = False,
) -> None:
    """Writes the report of these results, in their order.

    ``command`` is shown as the command that made it. ``embed_audio`` puts the recordings themselves into
    the file, as they are. The report says how large they are together; those over 100 MB are left out and
    named.
    """
    sounds, left_out = _sounds(results) if embed_audio else ({}, [])
    data = {
        "results": [_thinned(result.model_dump(mode="json"), len(results)) for result in results],
        "created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "notes": _notes(sounds, left_out),
    }
    before, script, after = bundle("report.html").html.partition(RESULTS)
    with path.open("w", encoding="utf-8") as file:
        file.write(before)
        file.write(f'<script type="application/json" id="results">{_script_text(data)}</script>\n')
        for index, sound in sounds.items():
            file.writelines(_sound_element(index, sound))
        file.write(script + after)


def _sounds(results: Sequence[Report | ErrorRecord]) -> tuple[dict[int, Path], list[str]]:
    """The files of the recordings that can be embedded, by their place, and the names of the others."""
    sounds, left_out = {}, []
    for index, result in enumerate(results):
        if isinstance(result, ErrorRecord) or not isinstance(result.source, FileSource):
            continue
        sound = Path(result.source.file)
        if sound.is_file() and sound.stat().st_size <= MAX_SOUND_BYTES:
            sounds[index] = sound
        else:
            left_out.append(result.source.file)
    return sounds, left_out


def _notes(sounds: dict[int, Path], left_out: list[str]) -> list[str]:
    notes = []
    if sounds:
        size = sum(sound.stat().st_size for sound in sounds.values()) * BASE64_LENGTH
        notes.append(f"sound of {len(sounds)} embedded, {size / 1e6:.1f} MB")
    if left_out:
        notes.append(f"sound left out: {', '.join(left_out)}")
    return notes


def _sound_element(index: int, sound: Path) -> Iterator[str]:
    kind = mimetypes.guess_type(sound.name)[0] or "application/octet-stream"
    yield f'<script type="text/plain" id="sound-{index}" data-type="{kind}">'
    yield base64.b64encode(sound.read_bytes()).decode()
    yield "</script>\n"


def _thinned(result: dict[str, Any], count: int) -> dict[str, Any]:
    """The result with neighbouring frames averaged until all results together stay within the limit."""
    most = max(MIN_VALUES_EACH, MAX_VALUES // max(count, 1))
    for scored in (result, *(result.get("channels") or [])):
        frames = scored.get("frames")
        if not frames or len(frames["scores"]) <= most:
            continue
        scores, size = frames["scores"], -(-len(frames["scores"]) // most)
        groups = [scores[i : i + size] for i in range(0, len(scores), size)]
        scored["frames"] = {
            "hop_s": frames["hop_s"] * size,
            "start_s": round(frames["start_s"] + frames["hop_s"] * (size - 1) / 2, 3),
            "scores": [round(sum(group) / len(group), 2) for group in groups],
        }
    return result


def _script_text(data: dict[str, Any]) -> str:
    """JSON for a script element, which "<" could end early."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
