"""A recording to its score: the one pipeline behind every way in."""

import math
import time
from collections import Counter
from typing import Any, BinaryIO

import numpy as np

from function.audio import WHOLE, Media, Part, Recording
from function.errors import OutOfTime
from function.features import FrameStream
from function.meter import Meter
from function.model import Model, Window, load_model
from function.report import (
    HIGHEST,
    LOWEST,
    MediaInfo,
    ModelInfo,
    Scored,
    Signal,
    Timing,
    Warning,
    verdict_of,
    warning,
)
from function.settings import Settings
from function.timeline import Timeline

LEAST_S = 0.5
CLIPPED_SHARE = 2e-4
NARROW_HZ = 4_500
LOW_LEVEL_DBFS = -55.0


def score(
    file: BinaryIO, settings: Settings, *, frames: bool = True, part: Part = WHOLE, left_s: float = math.inf
) -> Scored:
    """Scores an open binary file, which needs a file descriptor, or a part of it.

    All times in the result count from the file's beginning. Streams: memory doesn't grow with the
    recording's length. Raises the PermanentErrors of function.audio when the file can't be scored,
    SetupError when the model can't be loaded, OutOfTime when it is not done after ``left_s`` seconds.
    """
    model = load_model(settings)
    clock = Clock(left_s)
    with Recording(file, settings.limits, part) as recording:
        meter, timeline = _listen(recording, model, part.start_s, clock)
        return _report(recording.media, meter, timeline, model, clock, frames)


class Clock:
    """Adds up the seconds that each stage takes, and tells when there are none left."""

    def __init__(self, left_s: float) -> None:
        self._left_s = left_s
        self._started = time.perf_counter()
        self._spent: Counter[str] = Counter()

    def time(self, stage: str, work, *arguments) -> Any:
        """Calls ``work(*arguments)`` and books its time on the stage."""
        started = time.perf_counter()
        try:
            return work(*arguments)
        finally:
            self._spent[stage] += time.perf_counter() - started

    def check(self) -> None:
        """Raises OutOfTime when more time has passed than there was."""
        if time.perf_counter() - self._started > self._left_s:
            raise OutOfTime(f"Scoring takes longer than the {self._left_s:.0f} s that it could have.")

    def timing(self) -> Timing:
        """Seconds so far; the total includes what no stage claims."""
        stages = {f"{stage}_s": round(self._spent[stage], 4) for stage in ("decode", "features", "model")}
        return Timing(**stages, total_s=round(time.perf_counter() - self._started, 4))


def _listen(recording: Recording, model: Model, start_s: float, clock: Clock) -> tuple[Meter, Timeline]:
    """Decodes, makes frames and scores them, block by block."""
    meter = Meter(model.speech_probability)
    timeline = Timeline(model.speech_probability, model.power, start_s)
    features, network = FrameStream(), model.stream()

    def take(windows: list[Window]) -> None:
        for window in windows:
            meter.add_frames(window.frames, window.scores.speech)
            timeline.add(window.scores)

    blocks = recording.blocks()
    while (block := clock.time("decode", next, blocks, None)) is not None:
        clock.check()
        meter.add_samples(block)
        take(clock.time("model", network.push, clock.time("features", features.push, block)))
    take(clock.time("model", network.push, clock.time("features", features.finish)))
    take(clock.time("model", network.finish))
    return meter, timeline


def _report(
    media: Media, meter: Meter, timeline: Timeline, model: Model, clock: Clock, frames: bool
) -> Scored:
    bandwidth_hz = meter.bandwidth_hz and min(meter.bandwidth_hz, media.sample_rate_hz // 2)
    refusal = _refusal(media, meter, model)
    warnings = ([refusal] if refusal else []) + _doubts(media, meter, timeline, bandwidth_hz, frames)
    overall = None if refusal else float(np.clip(timeline.overall, LOWEST, HIGHEST))
    return Scored(
        media=MediaInfo(
            container=media.container,
            codec=media.codec,
            sample_rate_hz=media.sample_rate_hz,
            channels=media.channels,
            duration_s=round(media.duration_s, 3),
            bandwidth_hz=bandwidth_hz,
        ),
        model=ModelInfo(
            name=model.info["name"],
            version=model.info["version"],
            sha256=model.sha256,
            runtime=model.runtime,
        ),
        score=_rounded(overall, 3),
        interval=None if refusal else _interval(overall, model.info["interval"]),
        verdict=None if refusal else verdict_of(overall),
        frames=None if refusal or not frames else timeline.frames(),
        timeline=[] if refusal else timeline.segments(media.duration_s),
        worst_segment=None if refusal else timeline.worst(media.duration_s),
        distribution=None if refusal else timeline.distribution(),
        signal=Signal(
            level_dbfs=_rounded(meter.level_dbfs, 1),
            peak_dbfs=_rounded(20 * np.log10(media.peak), 1) if media.peak > 0 else None,
            clipped_share=round(media.clipped_share, 6),
            silent_share=round(meter.silent_share, 4),
            speech_share=round(float(meter.speech_share), 4),
            snr_db=_rounded(meter.snr_db, 1),
        ),
        warnings=warnings,
        timing=clock.timing(),
    )


def _refusal(media: Media, meter: Meter, model: Model) -> Warning | None:
    """Why there is no score, if there is none."""
    if media.duration_s < LEAST_S:
        return warning("too_short", least_s=LEAST_S)
    if meter.silent_share == 1 or meter.clearest_speech < model.info["no_speech"]["clearest_speech"]:
        return warning("no_speech")
    return None


def _doubts(
    media: Media, meter: Meter, timeline: Timeline, bandwidth_hz: int | None, frames: bool
) -> list[Warning]:
    """Reasons to trust the score less."""
    found = []
    if media.clipped_share > CLIPPED_SHARE:
        found.append(warning("clipped", share=media.clipped_share))
    if bandwidth_hz is not None and bandwidth_hz < NARROW_HZ:
        found.append(warning("narrow_band", bandwidth_hz=bandwidth_hz))
    if media.truncated:
        found.append(warning("truncated", duration_s=media.duration_s))
    if meter.level_dbfs is not None and meter.level_dbfs < LOW_LEVEL_DBFS:
        found.append(warning("low_level", level_dbfs=meter.level_dbfs))
    if frames and timeline.thinned:
        found.append(warning("thinned", hop_s=timeline.hop_s))
    return found


def _interval(overall: float, table: dict[str, list[float]]) -> tuple[float, float]:
    """The calibrated interval at that score, which lies inside it."""
    lower, upper = (float(np.interp(overall, table["score"], table[side])) for side in ("lower", "upper"))
    return round(max(LOWEST, min(lower, overall)), 2), round(min(HIGHEST, max(upper, overall)), 2)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)
