"""The warnings of a report: why there is no score, and reasons to trust a score less."""

from collections.abc import Sequence

from aqscore.analysis.signal_statistics import CLEAREST_S
from aqscore.report import Warning, warning

MIN_DURATION_S = 0.5
LITTLE_SPEECH_S = 2.0
# Thresholds beyond which a property of the recording is mentioned.
CLIPPED_SHARE = 2e-4
NARROW_BAND_HZ = 4_500
LOW_LEVEL_DBFS = -55.0
# Beside the level of speech. The features are high-passed, so an offset moves no score; one this large is a
# fault of the equipment, while the mean of loud noise in a short recording reaches -30 dB by itself.
DC_OFFSET_DB = -20.0
MIN_DC_OFFSET = 1e-4  # of full scale; rounding to 16 bits adds 1.5e-5
SCORE_DIFFERENCE = 1.0  # MOS-LQO between channels: more than twice the error of a score


def unscored_warning(
    duration_s: float, silent_share: float, clearest_speech: float, speech_threshold: float
) -> Warning | None:
    """The reason why a score would mean nothing; None where it means something.

    ``clearest_speech`` is the highest mean probability of speech over 0.6 s, and ``speech_threshold`` the
    model's threshold for it.
    """
    if duration_s < MIN_DURATION_S:
        return warning("too_short", min_duration_s=MIN_DURATION_S)
    if silent_share == 1 or clearest_speech < speech_threshold:
        return warning("no_speech", stretch_s=CLEAREST_S, threshold=speech_threshold, found=clearest_speech)
    return None


def channel_warnings(
    *,
    cancelled_to: int | None,
    silent: Sequence[int],
    contrast: tuple[int, int, float, float] | None,
    scores: Sequence[float | None],
) -> list[Warning]:
    """What is odd about the channels of a recording, which are counted from 0 here and from 1 in the texts.

    ``cancelled_to`` is the channel that stands for channels that cancel each other, ``contrast`` a better and
    a worse channel with the dB from noise to speech of each, ``scores`` the scores of the channels, if known.
    """
    found = []
    if cancelled_to is not None:
        found.append(warning("channels_cancel", channel=cancelled_to + 1))
    if silent:
        found.append(warning("channel_silent", channels=", ".join(str(channel + 1) for channel in silent)))
    known = {channel: score for channel, score in enumerate(scores) if score is not None}
    if known:
        better, worse = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        if known[better] - known[worse] >= SCORE_DIFFERENCE:
            reason = f"they score {known[better]:.1f} and {known[worse]:.1f}"
            found.append(warning("channels_differ", better=better + 1, worse=worse + 1, reason=reason))
    elif contrast:
        better, worse, better_db, worse_db = contrast
        reason = f"their noise is {better_db:.0f} and {worse_db:.0f} dB below their loudest sound"
        found.append(warning("channels_differ", better=better + 1, worse=worse + 1, reason=reason))
    return found


def quality_warnings(
    *,
    clipped_share: float,
    bandwidth_hz: int | None,
    truncated_at_s: float | None,
    level_dbfs: float | None,
    dc_offset: float,
    speech_s: float | None,
    thinned_hop_s: float | None,
) -> list[Warning]:
    """Reasons to trust the score less.

    ``level_dbfs`` is that of active speech, ``dc_offset`` the mean of the samples, full scale 1.0,
    ``speech_s`` the seconds of speech, None where nothing was scored.
    ``truncated_at_s`` is the duration of a truncated recording, ``thinned_hop_s`` the hop of thinned frame
    scores; both are None otherwise.
    """
    found = []
    if clipped_share > CLIPPED_SHARE:
        found.append(warning("clipped", share=clipped_share))
    if bandwidth_hz is not None and bandwidth_hz < NARROW_BAND_HZ:
        found.append(warning("narrow_band", bandwidth_hz=bandwidth_hz))
    if truncated_at_s is not None:
        found.append(warning("truncated", duration_s=truncated_at_s))
    if level_dbfs is not None and level_dbfs < LOW_LEVEL_DBFS:
        found.append(warning("low_level", level_dbfs=level_dbfs))
    if level_dbfs is not None and abs(dc_offset) > max(
        MIN_DC_OFFSET, 10 ** ((level_dbfs + DC_OFFSET_DB) / 20)
    ):
        found.append(warning("dc_offset", offset=dc_offset))
    if speech_s is not None and speech_s < LITTLE_SPEECH_S:
        found.append(warning("little_speech", speech_s=speech_s))
    if thinned_hop_s is not None:
        found.append(warning("thinned", hop_s=thinned_hop_s))
    return found
