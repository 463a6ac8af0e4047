"""Modules with a real S3 API over HTTP (LocalStack's)."""
