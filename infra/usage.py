"""The AWS requests and bytes that one recording uses: what the cost estimates multiply by the prices.

tests/integration counts the requests against a real S3.
"""

# aqscore.aws: two HEADs look for a result, one GET reads the recording, a HEAD and a PUT write the result,
# a HEAD looks for a result of the other kind.
S3_GETS = 5  # GET and HEAD cost the same
S3_PUTS = 1
S3_LIST_KEYS = 1_000  # keys in the answer to one LIST
SQS_REQUESTS = 3  # a message is sent, received and deleted
LOG_BYTES = 2_000  # one line of the function, its metrics, and Lambda's own three lines
# Assumptions, not measured: S3 in the function's own region.
S3_ROUND_TRIP_S = 0.02
S3_READ_BYTES_PER_S = 60e6  # one GET
