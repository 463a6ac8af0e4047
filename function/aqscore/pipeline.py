"""From a recording to its scores: the one pipeline behind the library, the command line, HTTP and AWS."""

import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Literal

import numpy as np

from aqscore.analysis.signal_statistics import SignalStatistics
from aqscore.analysis.timeline import Timeline
from aqscore.analysis.warnings import quality_warnings, unscored_warning
from aqscore.audio.array_source import AudioArray
from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import Media, Recording
from aqscore.config import ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest
from aqscore.model.features import FrameStream
from aqscore.model.loading import Model, load_model
from aqscore.model.windows import Window
from aqscore.report import MediaInfo, ModelInfo, RecordingScores, Scored, Signal, Timing
from aqscore.scale import HIGHEST, LOWEST, verdict_of


@dataclass(frozen=True)
class ScoreOptions:
    """The part of a recording to score, and the parts of the report to fill in.

    ``channels="split"`` scores each channel as well as their mix. Raises BadRequest unless
    0 <= start_s < end_s.
    """

    channels: Literal["mix", "split"] = "mix"
    frames: bool = True
    start_s: float = 0.0
    end_s: float = math.inf

    def __post_init__(self) -> None:
        if self.channels not in ("mix", "split"):
            raise BadRequest(f"channels is {self.channels!r}, expected 'mix' or 'split'.")
        if not 0 <= self.start_s < self.end_s:
            raise BadRequest(
                f"The part begins at {self.start_s:g} s and ends at {self.end_s:g} s: "
                "expected 0 <= start < end."
            )


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


def score_recording(
    audio: BinaryIO | AudioArray,
    config: ScorerConfig,
    options: ScoreOptions,
    deadline: Deadline | None = None,
) -> RecordingScores:
    """Scores an open binary file or an array as the options ask, all channels before the deadline.

    Raises as ``score_part`` does.
    """
    deadline = deadline or Deadline()
    part = Part(start_s=options.start_s, end_s=options.end_s)
    mix = score_part(audio, config, part, frames=options.frames, deadline=deadline)
    channels: list[Scored] | None = None
    if options.channels == "split":
        channels = [
            score_part(audio, config, replace(part, channel=number), frames=options.frames, deadline=deadline)
            for number in range(mix.media.channels)
        ]
    return RecordingScores(**dict(mix), channels=channels)


def score_file(
    file: BinaryIO,
    config: ScorerConfig,
    *,
    frames: bool = True,
    part: Part = WHOLE,
    time_limit_s: float = math.inf,
) -> Scored:
    """Scores a part of an open binary file within ``time_limit_s`` seconds, as ``score_part`` does."""
    return score_part(file, config, part, frames=frames, deadline=Deadline(time_limit_s))


def score_part(
    audio: BinaryIO | AudioArray, config: ScorerConfig, part: Part, *, frames: bool, deadline: Deadline
) -> Scored:
    """Scores a part of an array or of an open binary file, which needs a file descriptor.

    All times in the result count from the beginning of the file. Memory doesn't grow with the length of
    the recording. Raises the PermanentErrors of aqscore.audio when the recording can't be scored,
    SetupError when the model can't be loaded, OutOfTime after the deadline.
    """
    model, timer = load_model(config), StageTimer()
    with Recording(audio, config.limits, part, deadline=deadline) as recording:
        statistics = SignalStatistics(model.speech_probability)
        timeline = Timeline(model.speech_probability, model.power, part.start_s)
        _run_stream(recording, model, statistics, timeline, deadline, timer)
        return _report(recording.media, statistics, timeline, model, timer, frames)


def _run_stream(
    recording: Recording,
    model: Model,
    statistics: SignalStatistics,
    timeline: Timeline,
    deadline: Deadline,
    timer: StageTimer,
) -> None:
    """Decodes the recording, computes features and scores them, block by block."""
    features, scorer = FrameStream(), model.stream()

    def add(windows: list[Window]) -> None:
        for window in windows:
            statistics.add_frames(window.frames, window.scores.speech)
            timeline.add(window.scores)

    blocks = recording.blocks()
    while (block := timer.run("decode", next, blocks, None)) is not None:
        deadline.check()
        statistics.add_samples(block)
        add(timer.run("model", scorer.push, timer.run("features", features.push, block)))
    add(timer.run("model", scorer.push, timer.run("features", features.finish)))
    add(timer.run("model", scorer.finish))


def _report(
    media: Media,
    statistics: SignalStatistics,
    timeline: Timeline,
    model: Model,
    timer: StageTimer,
    frames: bool,
) -> Scored:
    bandwidth_hz = statistics.bandwidth_hz and min(statistics.bandwidth_hz, media.sample_rate_hz // 2)
    unscored = unscored_warning(
        media.duration_s,
        statistics.silent_share,
        statistics.clearest_speech,
        model.info["no_speech"]["clearest_speech"],
    )
    quality = quality_warnings(
        clipped_share=media.clipped_share,
        bandwidth_hz=bandwidth_hz,
        truncated_at_s=media.duration_s if media.truncated else None,
        level_dbfs=statistics.level_dbfs,
        thinned_hop_s=timeline.hop_s if frames and timeline.thinned else None,
    )
    scores = _unscored() if unscored else _scores(timeline, model, media.duration_s, frames)
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
        **scores,
        signal=_signal(media, statistics),
        warnings=[unscored, *quality] if unscored else quality,
        timing=timer.timing(),
    )


def _scores(timeline: Timeline, model: Model, duration_s: float, frames: bool) -> dict[str, Any]:
    """The fields of a Scored that hold scores."""
    overall = float(np.clip(timeline.overall, LOWEST, HIGHEST))
    return {
        "score": round(overall, 3),
        "interval": _interval(overall, model.info["interval"]),
        "verdict": verdict_of(overall),
        "frames": timeline.frames() if frames else None,
        "timeline": timeline.segments(duration_s),
        "worst_segment": timeline.worst(duration_s),
        "distribution": timeline.distribution(),
    }


def _unscored() -> dict[str, Any]:
    """The same fields where a score would mean nothing."""
    names = ("score", "interval", "verdict", "frames", "worst_segment", "distribution")
    return {"timeline": [], **dict.fromkeys(names)}


def _signal(media: Media, statistics: SignalStatistics) -> Signal:
    return Signal(
        level_dbfs=_rounded(statistics.level_dbfs, 1),
        peak_dbfs=_rounded(20 * np.log10(media.peak), 1) if media.peak > 0 else None,
        clipped_share=round(media.clipped_share, 6),
        silent_share=round(statistics.silent_share, 4),
        speech_share=round(float(statistics.speech_share), 4),
        snr_db=_rounded(statistics.snr_db, 1),
    )


def _interval(overall: float, table: dict[str, list[float]]) -> tuple[float, float]:
    """The calibrated prediction interval at a score. It always contains the score."""
    lower, upper = (float(np.interp(overall, table["score"], table[side])) for side in ("lower", "upper"))
    return round(max(LOWEST, min(lower, overall)), 2), round(min(HIGHEST, max(upper, overall)), 2)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)
