"""The stack of template.yaml on one machine: in LocalStack, with the real function."""
