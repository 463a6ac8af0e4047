"""infra.documents.figures: the pages quote the shipped model and the latest benchmarks."""

import pytest

from infra.documents import figures
from infra.documents.sections import section, write_section

UPDATE = "Update it: python -m infra.documents"


def test_the_comparison_quotes_the_card_and_the_benchmarks():
    expected = figures.shipped_model(figures.model(), figures.benchmarks())
    assert section(figures.COMPARISON, "shipped model") == expected, UPDATE


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("service time", figures.service_time),
        ("capacity", figures.capacity),
        ("burst", figures.burst),
    ],
)
def test_scaling_quotes_the_benchmarks(name, written):
    assert section(figures.SCALING, name) == written(figures.benchmarks()), UPDATE


def test_the_limit_of_the_default_follows_from_the_time_of_a_file():
    """Ten copies: the sentence on MaximumConcurrency rounds down to tens."""
    a_second = 10 / figures.benchmarks()["cost"]["10"]["billed_s"]
    assert f"Beyond some {int(a_second // 10) * 10} short files a second" in figures.SCALING.read_text()


@pytest.mark.parametrize(
    ("number", "text"), [(0.1509, "0.15"), (3.756, "3.8"), (150.96, "150"), (15096, "15,000")]
)
def test_numbers_have_two_significant_digits(number, text):
    assert figures.two_digits(number) == text


def test_a_section_is_replaced_and_the_rest_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a: python -m x -->\nold\n<!-- end a -->\nafter\n")
    write_section(page, "a", "new \\1\n")
    assert page.read_text() == "before\n<!-- begin a: python -m x -->\nnew \\1\n<!-- end a -->\nafter\n"
    with pytest.raises(LookupError, match="no section 'b'"):
        section(page, "b")
