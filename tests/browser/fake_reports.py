"""Reports of recordings that don't exist, for states that the sample recordings don't show."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route

from aqscore.causes import CAUSES
from aqscore.scale import HIGHEST, LOWEST, verdict_of

MAX_FRAMES = 20_000
ERROR = {
    "type": "empty_file",
    "detail": "The file is empty.",
    "advice": "Check the program that wrote the file, and send it again.",
}


def fake_report(name: str, duration_s: float, *, causes: bool = False, channels: int = 0) -> dict[str, Any]:
    """A report whose scores wander around a level and have dips; the same for the same name."""
    rng = np.random.default_rng(list(name.encode()))
    count = min(MAX_FRAMES, round(duration_s / 0.032))
    hop_s = duration_s / count
    level = rng.choice([1.5, 2.2, 2.8, 3.2, 3.7, 4.2, 4.4])
    place = np.arange(count) / count
    scores = level + 0.25 * np.cumsum(rng.standard_normal(count)) / np.sqrt(count)
    for _ in range(rng.integers(1, 4)):
        scores -= rng.uniform(0.5, 2) * np.exp(-(((place - rng.random()) / 0.03) ** 2))
    scores = np.clip(scores + 0.05 * rng.standard_normal(count), LOWEST, HIGHEST).round(2)
    timeline = _timeline(scores, hop_s, duration_s)
    score = float(scores.mean().round(3))
    verdicts = [verdict_of(each) for each in scores]
    report = {
        "schema_version": "1",
        "source": {"file": name},
        "media": {
            "container": "WAV",
            "codec": "PCM_16",
            "sample_rate_hz": 16_000,
            "channels": max(1, channels),
            "duration_s": duration_s,
            "bandwidth_hz": 8000,
        },
        "model": {
            "name": "aqscore-bilstm",
            "version": "2.2.0",
            "sha256": "0" * 64,
            "scale": "PESQ-WB MOS-LQO",
            "runtime": "onnx",
        },
        "score": score,
        "interval": [round(max(LOWEST, score - 0.5), 2), round(min(HIGHEST, score + 0.45), 2)],
        "verdict": verdict_of(score),
        "frames": {"hop_s": hop_s, "start_s": 0.016, "scores": scores.tolist()},
        "timeline": timeline,
        "worst_segment": dict(min(timeline, key=lambda each: each["score"])),
        "distribution": {
            name: verdicts.count(name) / count for name in ("bad", "poor", "fair", "good", "excellent")
        },
        "signal": {
            "level_dbfs": -23.4,
            "peak_dbfs": -4.2,
            "clipped_share": 0.0,
            "silent_share": 0.02,
            "speech_share": 0.82,
            "snr_db": 22.0,
        },
        "warnings": [],
        "timing": {"decode_s": 0.1, "features_s": 0.1, "model_s": 0.1, "total_s": 0.3},
        "channels": [fake_report(f"{name} {i}", duration_s) for i in range(channels)] or None,
    }
    if causes:
        _add_causes(report, rng)
    return report


def answer_with_reports(
    page: Page, duration_s: Callable[[str], float] = lambda _: 6.0, **options: Any
) -> None:
    """Answers the page's requests with reports; a recording called empty.wav fails."""

    def answer(route: Route) -> None:
        found = re.search(rb'filename="([^"]+)"', route.request.post_data_buffer or b"")
        assert found is not None
        name = found[1].decode()
        if name == "empty.wav":
            route.fulfill(status=400, body=json.dumps(ERROR), content_type="application/problem+json")
        else:
            route.fulfill(json=fake_report(name, duration_s(name), **options))

    page.route("**/v1/scores*", answer)


def _timeline(scores: np.ndarray, hop_s: float, duration_s: float) -> list[dict[str, Any]]:
    step_s = max(1, int(np.ceil(duration_s / 3600)))
    edges = np.arange(0, duration_s, step_s)
    parts = [
        scores[int(edge / hop_s) : max(int(edge / hop_s) + 1, int((edge + step_s) / hop_s))] for edge in edges
    ]
    return [
        {
            "start_s": float(edge),
            "end_s": float(min(edge + step_s, duration_s)),
            "score": round(float(part.mean()), 2),
        }
        for edge, part in zip(edges, parts, strict=True)
        if len(part)
    ]


def _add_causes(report: dict[str, Any], rng: np.random.Generator) -> None:
    """The fields of model 2.1: causes, worst first, and the estimate of listeners."""
    kinds = rng.permutation(CAUSES)[:3].tolist()
    timeline, worst = report["timeline"], report["worst_segment"]
    stretches = [timeline[i] for i in rng.integers(0, len(timeline), 3)]
    report["causes"] = [
        {"kind": kind, "share": share, "severity": severity, "from_s": part["start_s"], "to_s": part["end_s"]}
        for kind, share, severity, part in zip(
            kinds, (0.8, 0.3, 0.05), (1.4, 0.8, 0.4), stretches, strict=True
        )
    ]
    worst["cause"] = kinds[0]
    for kind, part in zip(kinds, stretches, strict=True):
        part["cause"] = kind
    report |= {"mos": 3.1, "mos_interval": [2.6, 3.6]}
