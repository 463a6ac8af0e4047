"""aqscore.errors: advice for callers of the library, and its order with that of other layers."""

import pytest

from aqscore.errors import AqscoreError, BadRequest, DecodingTooSlow, LimitExceeded, advice_for


def subclasses(of: type[AqscoreError]) -> list[type[AqscoreError]]:
    return [of, *(each for child in of.__subclasses__() for each in subclasses(child))]


@pytest.mark.parametrize("error", subclasses(AqscoreError), ids=lambda error: error.__name__)
def test_default_advice_is_for_callers_of_the_library(error):
    words = error("Something happened.").advice.lower().rstrip(".").split()
    assert words
    assert not {"upload", "stack", "template", "topic", "queue", "bucket", "lambda"} & set(words)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (LimitExceeded("x", advice="The raiser's."), "The raiser's."),
        (DecodingTooSlow("x"), "Of LimitExceeded."),
        (LimitExceeded("x"), "Of LimitExceeded."),
        (BadRequest("x"), BadRequest.advice),
    ],
)
def test_the_raisers_advice_comes_before_the_layers_and_that_before_the_default(error, advice):
    assert advice_for(error, {LimitExceeded: "Of LimitExceeded."}) == advice
