"""The generated parts of README.md and docs/deploy.md are those that infra.documents makes now."""

import json
import re

import pytest

from aqscore import score
from aqscore.scale import VERDICTS
from infra import deploy
from infra.documents import figures, parameters, readme
from infra.documents.sections import section
from tests.conftest import ROOT

UPDATE = "Update it: python -m infra.documents"
ONE_SCREEN = 100  # lines of the source, about 60 of them text


def shown() -> dict:
    """The JSON that the README shows."""
    return json.loads(section(readme.PAGE, "result").removeprefix("```json\n").removesuffix("```\n"))


def test_the_result_is_that_of_the_shipped_model() -> None:
    report = score(ROOT / readme.EXAMPLE, frames=False)
    assert shown()["source"]["file"] == readme.EXAMPLE
    assert shown()["score"] == pytest.approx(report.score, abs=0.02), UPDATE
    assert shown()["interval"] == pytest.approx(report.interval, abs=0.02), UPDATE
    assert shown()["verdict"] == report.verdict, UPDATE
    assert shown()["worst_segment"] == pytest.approx(report.worst_segment.model_dump(), abs=0.05), UPDATE


def test_the_result_has_the_fields_that_a_reader_needs() -> None:
    made = json.loads(readme.result().removeprefix("```json\n").removesuffix("```\n"))
    assert list(shown()) == list(made), UPDATE
    assert {"score", "interval", "verdict", "worst_segment"} <= set(made)


def test_the_accuracy_is_that_of_the_model_card() -> None:
    assert section(readme.PAGE, "accuracy") == readme.accuracy(figures.model()), UPDATE


@pytest.mark.parametrize("page", [readme.PAGE, parameters.PAGE], ids=lambda page: page.name)
def test_the_price_is_that_of_the_benchmarks(page) -> None:
    assert section(page, "price") == f"{deploy.price()}\n", UPDATE


def test_the_tables_of_parameters_are_those_of_the_template() -> None:
    assert section(parameters.PAGE, parameters.SECTION) == parameters.tables(), UPDATE


def test_every_parameter_is_in_one_group() -> None:
    grouped = [name for names in parameters.groups().values() for name in names]
    assert sorted(grouped) == sorted(parameters.parameters())


def test_the_readme_fits_one_screen() -> None:
    assert len(readme.PAGE.read_text().splitlines()) <= ONE_SCREEN


def test_the_first_page_of_deployment_names_the_gpl_before_any_parameter() -> None:
    first, _, _ = parameters.PAGE.read_text().partition("## Five parameters that matter")
    assert "GPL" in first and "Formats=basic" in first


def test_the_verdicts_of_the_readme_are_those_of_the_scale() -> None:
    [sentence] = re.findall(
        r"\*\*The verdicts\*\* are ([^;]+?excellent)\.", readme.PAGE.read_text(), flags=re.S
    )
    for threshold, verdict in VERDICTS:
        assert verdict in sentence
        assert verdict == "bad" or str(threshold) in sentence
