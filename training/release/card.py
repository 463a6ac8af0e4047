"""MODEL_CARD.md from its template and model.json, so that no number in it is typed by hand."""

from pathlib import Path
from string import Template

from aqscore.model.features import SPEC
from training.evaluation.measures import asked_text, is_met, value_text

TEMPLATE = Path(__file__).with_name("MODEL_CARD.template.md")
BY_RULE = "The weights are chosen by rule, never by a development score (training/network/train.py)."


def render(info: dict) -> str:
    """The card of the model that ``info``, its model.json, describes; in Markdown.

    How the weights were chosen, ``training.note`` says where it is there, else training.network.train's rule.
    Raises KeyError when the template names something that model.json doesn't hold.
    """
    metrics, config = info["metrics"], info["training"]["config"]
    interval = info["interval"]
    return Template(TEMPLATE.read_text()).substitute(
        version=info["version"],
        created=info["created"],
        scale=info["scale"],
        parameters=f"{info['parameters']:,}",
        config=config["name"],
        units=" and ".join(str(units) for units in config["units"]),
        maps=len(config["maps"]),
        sha256=info["files"]["onnx"]["sha256"],
        versions=", ".join(f"{name} {number}" for name, number in info["versions"].items()),
        beginning=_beginning(info["training"]),
        chosen=info["training"].get("note", BY_RULE),
        source=_source(info["training"]),
        clips_seen=f"{info['training']['clips_seen']:,}",
        minutes=f"{info['training']['minutes_done']:.0f}",
        measures=_measures(metrics["rows"]),
        groups=_errors("group", metrics["groups"]),
        noise_kinds=_errors("kind", metrics["noise_kinds"]),
        refused=_refused(metrics["refused"]),
        data=_data(info["data"]),
        intervals=_table(
            ("score", "from", "to"), zip(interval["score"], interval["lower"], interval["upper"], strict=True)
        ),
        speech_probability=info["no_speech"]["speech_probability"],
        window=f"{info['window']['frames'] * SPEC.hop_s:.0f}",
        power=info["pooling"]["power"],
        clearest_speech=info["no_speech"]["clearest_speech"],
    )


def _source(training: dict) -> str:
    """What the network was exported from, as options of training.release.export."""
    if "again_sha256" in training:
        return "--again OTHER"
    return "--run RUN" + (" --halfway BEGINNING" if training.get("halfway") else "")


def _beginning(training: dict) -> str:
    if "from_sha256" not in training:
        return ""
    served = (
        "; served are the means of the weights at the beginning and at the end, as development sets chose "
        "for model 1.7.0 (training/network/EXPERIMENTS.md, 17)"
    )
    return (
        f", begun with the weights of another model (sha256 `{training['from_sha256'][:12]}...`)"
        f"{served if training.get('halfway') else ''}"
    )


def _measures(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        between = "" if row["low"] is None else f"{value_text(row['low'])} to {value_text(row['high'])}"
        met = [
            "" if row[level] is None else ("yes" if is_met(row, level) else "**no**")
            for level in ("bar", "aim")
        ]
        asked = [asked_text(row["way"], row[level]) for level in ("bar", "aim")]
        lines.append((row["name"], value_text(row["value"]), between, asked[0], met[0], asked[1], met[1]))
    return _table(("measure", "value", "95 % interval", "bar", "met", "aim", "met"), lines)


def _errors(kind: str, errors: dict[str, dict]) -> str:
    lines = [
        (name, error["clips"], value_text(error["pearson"]), error["rmse"], error["bias"])
        for name, error in errors.items()
    ]
    return _table((kind, "clips", "Pearson", "RMSE", "mean error"), lines)


def _refused(refused: dict[str, list[int]]) -> str:
    return _table(
        ("set", "clips", "refused"), [(name, total, count) for name, (count, total) in refused.items()]
    )


def _data(data: dict[str, dict]) -> str:
    lines = [(name, entry["clips"], entry["hours"], entry["speakers"]) for name, entry in data.items()]
    return _table(("set", "clips", "hours", "speakers"), lines)


def _table(head: tuple, lines) -> str:
    rows = [head, ("---",) * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
