"""Scoring what is already there: an S3 Batch Operations job, or the stack's own queue at a set rate."""
