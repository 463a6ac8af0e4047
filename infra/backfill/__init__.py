"""Scores existing recordings: by an S3 Batch Operations job, or through the stack's queue at a set rate."""
