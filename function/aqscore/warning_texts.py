"""The texts of the warnings of a report, by code."""

from typing import Literal

WarningCode = Literal[
    "no_speech",
    "too_short",
    "clipped",
    "narrow_band",
    "truncated",
    "low_level",
    "dc_offset",
    "little_speech",
    "channels_cancel",
    "channel_silent",
    "channels_differ",
    "thinned",
    "several_tracks",
    "gaps",
    "unfinished",
    "stale_header",
]
WARNINGS: dict[WarningCode, str] = {
    "no_speech": "No speech was found, so there is no score: the scale applies to speech only. Speech is a "
    "stretch of {stretch_s:g} s with a mean speech probability of at least {threshold:.2f}; the highest here "
    "is {found:.2f}.",
    "too_short": "The recording is too short for a score: at least {min_duration_s} s are needed.",
    "clipped": "{share:.2%} of the samples are clipped: the recording level was too high.",
    "narrow_band": "The spectrum ends at {bandwidth_hz:,} Hz. Such speech scores low on a wideband scale.",
    "truncated": "The file is incomplete or damaged: {duration_s:.1f} s could be decoded and scored.",
    "low_level": "The speech is very quiet ({level_dbfs:.0f} dBFS): quantisation noise may be audible.",
    "dc_offset": "The samples have a DC offset of {offset:+.3f} of full scale: check the equipment. "
    "Listeners don't hear it, and the score ignores it.",
    "little_speech": "There are only {speech_s:.1f} s of speech, so the interval is wider.",
    "channels_cancel": "The channels cancel each other when they are mixed: their polarities are opposite. "
    "Only channel {channel} was scored.",
    "channel_silent": "Left out of the mix, because silent: channel {channels}.",
    "channels_differ": "Channel {better} is much better than channel {worse} ({reason}). Score the channels "
    "separately.",
    "thinned": "The recording is long: frame scores are averages over {hop_s:g} s.",
    "several_tracks": "The file has {tracks} audio tracks. Track {track} was scored.",
    "gaps": "The timestamps leave out {gaps_s:.1f} s, {longest_s:.1f} s of it in one gap: scored as silence.",
    "unfinished": "The header states no length: the recorder was cut off. All {duration_s:.1f} s in the file "
    "were scored.",
    "stale_header": "The header states {stated_s:.1f} s, but the file holds more: all {duration_s:.1f} s "
    "were scored.",
}
