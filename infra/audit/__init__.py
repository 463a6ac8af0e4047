"""Checks the template and the pinned packages for weaknesses: cfn-lint, checkov and pip-audit."""
