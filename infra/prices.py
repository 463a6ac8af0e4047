"""AWS's list prices: us-east-1, x86, US dollars, before free tiers and discounts.

Noted by hand on the day in NOTED; nothing here asks AWS. Compare them before you budget:
https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/s3/pricing/,
https://aws.amazon.com/sqs/pricing/ and https://aws.amazon.com/cloudwatch/pricing/.
"""

NOTED = "2026-11-24"
LAMBDA_GB_S = 0.0000166667
LAMBDA_REQUEST = 0.20 / 1e6
S3_PUT = 0.005 / 1e3
S3_GET = 0.0004 / 1e3  # and HEAD
S3_LIST = 0.005 / 1e3
S3_BATCH_JOB = 0.25
S3_BATCH_OBJECT = 1.00 / 1e6
SQS_REQUEST = 0.40 / 1e6
LOGS_GB = 0.50  # ingestion, standard class

PRICES = {
    "Lambda, a GB-second": LAMBDA_GB_S,
    "Lambda, a request": LAMBDA_REQUEST,
    "S3, a PUT": S3_PUT,
    "S3, a GET or HEAD": S3_GET,
    "S3, a LIST": S3_LIST,
    "S3 Batch Operations, a job": S3_BATCH_JOB,
    "S3 Batch Operations, an object": S3_BATCH_OBJECT,
    "SQS, a request": SQS_REQUEST,
    "CloudWatch Logs, a GB ingested": LOGS_GB,
}


def compute_usd(seconds: float, memory_mb: int) -> float:
    """The price of ``seconds`` of Lambda time, in US dollars: memory counts in GB of 1,024 MB."""
    return seconds * memory_mb / 1024 * LAMBDA_GB_S
