"""Summaries of a recording's samples and scores."""
