"""Scores one mono signal, block by block: features, network, statistics, and their report."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqscore.analysis.offset import Offset
from aqscore.analysis.signal_statistics import SignalStatistics
from aqscore.analysis.timeline import Timeline
from aqscore.analysis.warnings import quality_warnings, unscored_warning
from aqscore.audio.recording import Media
from aqscore.model.features import FrameStream
from aqscore.model.high_pass import HighPass
from aqscore.model.loading import Model
from aqscore.model.windows import Window
from aqscore.report import MediaInfo, ModelInfo, Scored, Signal, Timing, Warning
from aqscore.scale import HIGHEST, HIGHEST_MOS, LOWEST, LOWEST_MOS, verdict_of

# The network halves the rate of the frames before it scores them: two neighbours have one score, 32 ms.
FRAMES_PER_SCORE = 2


class StageTimer:
    """Adds up the seconds spent in each stage of the pipeline."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._spent_s: defaultdict[str, float] = defaultdict(float)

    def run[**P, T](self, stage: str, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Calls ``work`` and adds the time that it takes to the stage."""
        started = time.perf_counter()
        try:
            return work(*arguments, **options)
        finally:
            self._spent_s[stage] += time.perf_counter() - started

    def timing(self) -> Timing:
        """Seconds so far. The total includes time outside of the stages."""
        stages = {f"{stage}_s": round(self._spent_s[stage], 4) for stage in ("decode", "features", "model")}
        return Timing(**stages, total_s=round(time.perf_counter() - self._started, 4))


class SignalScorer:
    """Takes the samples of one channel or mix. Memory doesn't grow with the length of the recording."""

    def __init__(self, model: Model, timer: StageTimer, start_s: float) -> None:
        """``start_s`` is the beginning of the samples in the file: times count from the file's."""
        self._model = model
        self._timer = timer
        self._high_pass = HighPass()
        self._features = FrameStream()
        self._scores = model.stream()
        self._offset = Offset()
        self._statistics = SignalStatistics(model.speech_probability)
        self._timeline = Timeline(
            model.speech_probability,
            model.power,
            model.cause_thresholds,
            start_s,
            frames_per_score=FRAMES_PER_SCORE,
        )

    def push(self, samples: NDArray[np.float32]) -> None:
        """Takes the next (n,) samples at 16 kHz, full scale 1.0."""
        self._offset.add(samples)
        self._push_filtered(self._timer.run("features", self._high_pass.push, samples))

    def finish(self) -> None:
        """Scores what was waiting for later samples."""
        self._push_filtered(self._timer.run("features", self._high_pass.finish))
        frames = self._timer.run("features", self._features.finish)
        self._add(self._timer.run("model", self._scores.push, frames))
        self._add(self._timer.run("model", self._scores.finish))
        self._timeline.finish()

    def scored(
        self, media: Media, channels: tuple[int, ...], warnings: list[Warning], *, frames: bool
    ) -> Scored:
        """The result, with or without the scores of single frames, and with further warnings in front.

        ``channels`` are those in the signal, counted from 0.
        """
        statistics, timeline, info = self._statistics, self._timeline, self._model.info
        found_hz = statistics.bandwidth_hz
        bandwidth_hz = found_hz and min(found_hz, media.sample_rate_hz // 2)
        clipped_share = media.peaks.clipped_share(channels)
        unscored = unscored_warning(
            media.duration_s,
            statistics.silent_share,
            statistics.clearest_speech,
            info["no_speech"]["clearest_speech"],
        )
        quality = quality_warnings(
            clipped_share=clipped_share,
            bandwidth_hz=bandwidth_hz,
            truncated_at_s=media.duration_s if media.truncated else None,
            level_dbfs=statistics.active_level_dbfs or statistics.level_dbfs,
            dc_offset=self._offset.mean,
            speech_s=None if unscored else statistics.speech_s,
            thinned_hop_s=timeline.hop_s if frames and timeline.thinned else None,
        )
        scores = _unscored()
        if unscored is None:
            scores = _scores(timeline, info, media.duration_s, statistics.speech_s, frames)
        return Scored(
            media=_media_info(media, bandwidth_hz, channels),
            model=ModelInfo(
                name=info["name"],
                version=info["version"],
                sha256=self._model.sha256,
                runtime=self._model.runtime,
            ),
            **scores,
            signal=Signal(
                level_dbfs=_rounded(statistics.level_dbfs, 1),
                active_level_dbfs=_rounded(statistics.active_level_dbfs, 1),
                peak_dbfs=_decibels(media.peaks.peak(channels)),
                clipped_share=round(clipped_share, 6),
                dc_offset=round(self._offset.mean, 5),
                silent_share=round(statistics.silent_share, 4),
                speech_share=round(float(statistics.speech_share), 4),
                snr_db=_rounded(statistics.snr_db, 1),
            ),
            warnings=[*([unscored] if unscored else []), *warnings, *quality],
            timing=self._timer.timing(),
        )

    def _push_filtered(self, samples: NDArray[np.float32]) -> None:
        self._statistics.add_samples(samples)
        frames = self._timer.run("features", self._features.push, samples)
        self._add(self._timer.run("model", self._scores.push, frames))

    def _add(self, windows: list[Window]) -> None:
        for window in windows:
            self._statistics.add_speech(window.scores.speech)
            self._timeline.add(window.scores)


def _media_info(media: Media, bandwidth_hz: int | None, channels: tuple[int, ...]) -> MediaInfo:
    return MediaInfo(
        container=media.container,
        codec=media.codec,
        sample_rate_hz=media.sample_rate_hz,
        channels=media.channels,
        duration_s=round(media.duration_s, 3),
        bandwidth_hz=bandwidth_hz,
        scored_channels=[channel + 1 for channel in channels],
        tracks=media.tracks,
        track=media.track + 1,
    )


def _scores(
    timeline: Timeline, info: dict[str, Any], duration_s: float, speech_s: float, frames: bool
) -> dict[str, Any]:
    """The fields of a Scored that hold scores."""
    overall = float(np.clip(timeline.overall, LOWEST, HIGHEST))
    mos = float(np.clip(timeline.mos, LOWEST_MOS, HIGHEST_MOS))
    short = info["interval"]["short_speech"]
    factor = float(np.interp(speech_s, short["speech_s"], short["factor"]))
    return {
        "score": round(overall, 3),
        "interval": _interval(overall, "score", info["interval"], factor, (LOWEST, HIGHEST)),
        "verdict": verdict_of(overall),
        "mos": round(mos, 3),
        "mos_interval": _interval(mos, "mos", info["mos"]["interval"], factor, (LOWEST_MOS, HIGHEST_MOS)),
        "causes": timeline.causes(duration_s),
        "frames": timeline.frames() if frames else None,
        "timeline": timeline.segments(duration_s),
        "worst_segment": timeline.worst(duration_s),
        "distribution": timeline.distribution(),
    }


def _unscored() -> dict[str, Any]:
    """The same fields where a score would mean nothing."""
    names = ("score", "interval", "verdict", "frames", "worst_segment", "distribution")
    return {"timeline": [], **dict.fromkeys(names)}


def _interval(
    value: float, name: str, table: dict[str, Any], factor: float, limits: tuple[float, float]
) -> tuple[float, float]:
    """The calibrated interval at a value, ``factor`` times as wide. It always contains the value.

    ``table`` has the values under their ``name``, and ``lower`` and ``upper`` at each. ``limits`` are the
    scale's.
    """
    lower, upper = (float(np.interp(value, table[name], table[side])) for side in ("lower", "upper"))
    lower, upper = value - factor * (value - lower), value + factor * (upper - value)
    return round(max(limits[0], min(lower, value)), 2), round(min(limits[1], max(upper, value)), 2)


def _decibels(magnitude: float) -> float | None:
    return _rounded(20 * np.log10(magnitude), 1) if magnitude > 0 else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)
