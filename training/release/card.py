"""Renders MODEL_CARD.md from its template and model.json, so that no number in it is typed by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from aqscore.model.features import SPEC
from training.evaluation.table import row_cells, value_text

TEMPLATE = Path(__file__).with_name("MODEL_CARD.template.md")
BY_RULE = (
    "The run's averaged weights are exported; development scores choose none (training/network/train.py)."
)


def render(info: dict) -> str:
    """The card of the model that ``info``, its model.json, describes; in Markdown.

    ``training.note``, where there is one, replaces the standard text about the choice of weights.
    Raises KeyError when the template names a value that model.json doesn't hold.
    """
    metrics, config = info["metrics"], info["training"]["config"]
    interval = info["interval"]
    return Template(TEMPLATE.read_text()).substitute(
        version=info["version"],
        created=info["created"],
        scale=info["scale"],
        parameters=f"{info['parameters']:,}",
        units=config["units"],
        maps=len(config["maps"]),
        sha256=info["files"]["onnx"]["sha256"],
        versions=", ".join(f"{name} {number}" for name, number in info["versions"].items()),
        warm_start=_warm_start(info["training"]),
        chosen=_chosen(info["training"]),
        source=_source(info["training"]),
        clips_seen=f"{info['training']['clips_seen']:,}",
        minutes=f"{info['training']['minutes_done']:.0f}",
        elsewhere=_elsewhere(metrics.get("elsewhere")),
        measures=_measures(metrics["rows"]),
        causes=_causes(metrics["causes"], info["causes"]),
        groups=_errors("group", metrics["groups"]),
        noise_kinds=_errors("kind", metrics["noise_kinds"]),
        unscored=_unscored(metrics["unscored"]),
        data=_data(info["data"]),
        intervals=_table(
            ("score", "from", "to"), zip(interval["score"], interval["lower"], interval["upper"], strict=True)
        ),
        widening=interval.get("widening", 1.0),
        speech_probability=info["no_speech"]["speech_probability"],
        window=f"{info['window']['frames'] * SPEC.hop_s:.0f}",
        power=info["pooling"]["power"],
        clearest_speech=info["no_speech"]["clearest_speech"],
    )


def _elsewhere(measured: dict | None) -> str:
    if measured is None:
        return "Not measured on such recordings."
    return "\n\n".join([_measures(measured["rows"]), _errors("kind, alone", measured["groups"])])


def _chosen(training: dict) -> str:
    text = training.get("note", BY_RULE)
    if "start_share" in training:
        text += (
            f" They are averaged with the model that the run began with, which counts "
            f"{training['start_share']:.0%}."
        )
    return text


def _source(training: dict) -> str:
    """The source of the export, as an option of training.release.export."""
    if "recalibrated_sha256" in training:
        return "--recalibrate MODEL"
    return "--run RUN" + (" --start MODEL" if "start_share" in training else "")


def _warm_start(training: dict) -> str:
    if "warm_start_sha256" not in training:
        return ""
    return f", from a warm start with another model (sha256 `{training['warm_start_sha256'][:12]}...`)"


def _measures(rows: list[dict]) -> str:
    head = ("measure", "value", "95 % interval", "threshold", "met", "target", "met")
    return _table(head, [row_cells(row, yes="yes", no="**no**") for row in rows])


def _errors(kind: str, errors: dict[str, dict]) -> str:
    lines = [
        (name, error["clips"], value_text(error["pearson"]), error["rmse"], error["bias"])
        for name, error in errors.items()
    ]
    return _table((kind, "clips", "Pearson", "RMSE", "mean error"), lines)


def _causes(areas: dict[str, dict], rule: dict) -> str:
    thresholds = dict(zip(rule["kinds"], rule["threshold"], strict=True))
    lines = [
        (kind, area["clips"], value_text(area["frames"]), value_text(area["recordings"]), thresholds[kind])
        for kind, area in areas.items()
    ]
    return _table(("cause", "clips with it", "area, frames", "area, recordings", "threshold"), lines)


def _unscored(unscored: dict[str, list[int]]) -> str:
    lines = [(name, total, count) for name, (count, total) in unscored.items()]
    return _table(("set", "clips", "without a score"), lines)


def _data(data: dict[str, dict]) -> str:
    lines = [(name, entry["clips"], entry["hours"], entry["speakers"]) for name, entry in data.items()]
    return _table(("set", "clips", "hours", "speakers"), lines)


def _table(head: Sequence, lines: Iterable[Sequence]) -> str:
    """A table in Markdown."""
    rows = [head, ("---",) * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
