"""The warnings of a report: why there is no score, and reasons to trust a score less."""

from aqscore.report import Warning, warning

MIN_DURATION_S = 0.5
# Thresholds beyond which a property of the recording is mentioned.
CLIPPED_SHARE = 2e-4
NARROW_BAND_HZ = 4_500
LOW_LEVEL_DBFS = -55.0


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
        return warning("no_speech")
    return None


def quality_warnings(
    *,
    clipped_share: float,
    bandwidth_hz: int | None,
    truncated_at_s: float | None,
    level_dbfs: float | None,
    thinned_hop_s: float | None,
) -> list[Warning]:
    """Reasons to trust the score less.

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
    if thinned_hop_s is not None:
        found.append(warning("thinned", hop_s=thinned_hop_s))
    return found
