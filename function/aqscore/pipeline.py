"""From a recording to its scores: the one pipeline behind the library, the command line, HTTP and AWS."""

import math
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from aqscore.analysis.file_warnings import file_warnings
from aqscore.analysis.warnings import channel_warnings
from aqscore.audio.array_source import AudioArray
from aqscore.audio.channels import Mix, NoiseContrast
from aqscore.audio.part import WHOLE, Part
from aqscore.audio.recording import Media, Recording
from aqscore.config import ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import BadRequest
from aqscore.model.loading import load_model
from aqscore.report import RecordingScores, Scored
from aqscore.signal_scorer import SignalScorer, StageTimer

# The mix of all channels, the mix and every channel, or the number of one channel, counted from 1.
type Channels = Literal["mix", "split"] | int


def channels_from(text: str) -> Channels:
    """The channels that "mix", "split" or a number name. Raises BadRequest."""
    channels: Any = int(text) if text.isdecimal() else text
    return ScoreOptions(channels).channels


@dataclass(frozen=True)
class ScoreOptions:
    """The part of a recording to score, and the parts of the report to fill in.

    ``channels`` is "mix", "split" for the mix and each channel, or the number of one channel, counted from 1.
    ``track`` is the number of an audio track, counted from 1; None is the default one, or the first that has
    sound. Raises BadRequest for other values, and unless 0 <= start_s < end_s.
    """

    channels: Channels = "mix"
    frames: bool = True
    start_s: float = 0.0
    end_s: float = math.inf
    track: int | None = None

    def __post_init__(self) -> None:
        number = self.channels if type(self.channels) is int else 0
        if self.channels not in ("mix", "split") and number < 1:
            raise BadRequest(
                f"channels is {self.channels!r}, expected 'mix', 'split' or the number of a channel, from 1."
            )
        if self.track is not None and self.track < 1:
            raise BadRequest(f"track is {self.track}, expected the number of an audio track, from 1.")
        if not 0 <= self.start_s < self.end_s:
            raise BadRequest(
                f"The part begins at {self.start_s:g} s and ends at {self.end_s:g} s: "
                "expected 0 <= start < end."
            )


def score_recording(
    audio: BinaryIO | AudioArray,
    config: ScorerConfig,
    options: ScoreOptions,
    deadline: Deadline | None = None,
) -> RecordingScores:
    """Scores an open binary file or an array as the options ask, all channels before the deadline.

    A file needs a file descriptor. All times in the result count from the beginning of the file. Memory
    doesn't grow with the length of the recording. Raises the PermanentErrors of aqscore.audio when the
    recording can't be scored, SetupError when the model can't be loaded, OutOfTime after the deadline.
    """
    number = options.channels if isinstance(options.channels, int) else None
    part = Part(
        channel=None if number is None else number - 1,
        start_s=options.start_s,
        end_s=options.end_s,
        track=None if options.track is None else options.track - 1,
    )
    return _score_part(audio, config, options, part, deadline or Deadline())


def score_file(
    file: BinaryIO,
    config: ScorerConfig,
    *,
    frames: bool = True,
    part: Part = WHOLE,
    time_limit_s: float = math.inf,
) -> RecordingScores:
    """Scores a part of an open binary file within ``time_limit_s`` seconds, as ``score_recording`` does."""
    return _score_part(file, config, ScoreOptions(frames=frames), part, Deadline(time_limit_s))


class _Run:
    """Decodes a recording and scores mixes and channels of it; once, unless the mix turns out to be wrong."""

    def __init__(
        self, audio: BinaryIO | AudioArray, config: ScorerConfig, part: Part, deadline: Deadline
    ) -> None:
        self._audio = audio
        self._config = config
        self._part = part
        self._deadline = deadline
        self._model, self._timer = load_model(config), StageTimer()
        self.signals: dict[tuple[int, ...], SignalScorer] = {}  # by their channels
        self.media: Media
        self.contrast: NoiseContrast | None = None

    def mixed(self, apart: bool) -> Mix:
        """Scores the mix, and every channel where they are wanted ``apart``. Returns the mix.

        The beginning of a recording suggests which channels to mix. Where the rest shows that others are
        needed, the recording is decoded again.
        """
        mix = self._decode(None, apart)
        while mix.channels not in self.signals:
            mix = self._decode(mix, False)
        return mix

    def _decode(self, mix: Mix | None, apart: bool) -> Mix:
        """Scores that mix, by default the suggested one. Returns the mix that all samples suggest.

        A suggested mix is given up as soon as a channel sounds that seemed to be silent.
        """
        with Recording(self._audio, self._config.limits, self._part, deadline=self._deadline) as recording:
            self.media = recording.media
            suggested = mix or self._timer.run("decode", recording.first_mix)
            wanted = [suggested.channels, *((channel,) for channel in range(self.media.channels) if apart)]
            signals = {
                channels: SignalScorer(self._model, self._timer, self._part.start_s) for channels in wanted
            }
            blocks = recording.mixes(list(signals))
            while (rows := self._timer.run("decode", next, blocks, None)) is not None:
                self._deadline.check(recording.progress)
                for signal, samples in zip(signals.values(), rows, strict=True):
                    signal.push(samples)
                if mix is None and not apart and not set(suggested.silent) <= set(recording.mix.silent):
                    return recording.mix
            for signal in signals.values():
                signal.finish()
            self.signals |= signals
            self.contrast = recording.contrast
            return recording.mix


def _score_part(
    audio: BinaryIO | AudioArray, config: ScorerConfig, options: ScoreOptions, part: Part, deadline: Deadline
) -> RecordingScores:
    run = _Run(audio, config, part, deadline)
    apart = options.channels == "split"
    mix = run.mixed(apart)
    channels: list[Scored] | None = None
    if apart:
        channels = [
            run.signals[(channel,)].scored(run.media, (channel,), [], frames=options.frames)
            for channel in range(run.media.channels)
        ]
    media, findings = run.media, run.media.findings
    about_file = file_warnings(
        duration_s=media.duration_s,
        tracks=media.tracks,
        track=media.track,
        gaps_s=findings.gaps_s,
        longest_gap_s=findings.longest_gap_s,
        unfinished=findings.unfinished,
        stated_s=findings.stated_s,
    )
    warnings = about_file + channel_warnings(
        cancelled_to=mix.channels[0] if mix.cancels else None,
        silent=mix.silent,
        contrast=run.contrast,
        scores=[channel.score for channel in channels or []],
    )
    scored = run.signals[mix.channels].scored(run.media, mix.channels, warnings, frames=options.frames)
    return RecordingScores(**dict(scored), channels=channels)
