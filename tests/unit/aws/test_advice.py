"""aqscore.aws.advice: advice for the stack, in error records and in the log."""

from aqscore.aws.advice import ADVICE, advice_in_aws
from aqscore.aws.object_ref import ObjectRef
from aqscore.aws.object_scorer import ObjectScorer
from aqscore.aws.s3 import S3Client
from aqscore.aws.settings import Settings
from aqscore.errors import DecodingTooSlow, LimitExceeded, ObjectNotFound, UnsupportedFormat
from tests.unit.aws.memory_s3 import MemoryS3


def test_the_most_specific_type_decides():
    assert advice_in_aws(DecodingTooSlow("Slow.")) == ADVICE[DecodingTooSlow]
    assert advice_in_aws(LimitExceeded("Large.")) == ADVICE[LimitExceeded]


def test_advice_of_the_raiser_comes_first():
    assert advice_in_aws(UnsupportedFormat("DRM.", advice="Remove it.")) == "Remove it."


def test_error_records_have_the_advice_of_the_stack():
    scorer = ObjectScorer(Settings(results_bucket="results"), S3Client(MemoryS3(lambda: None)))
    record = scorer.process(ObjectRef("incoming", "missing.wav")).document
    assert record.error.advice == ADVICE[ObjectNotFound]
