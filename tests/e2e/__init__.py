"""End-to-end tests: the whole stack in LocalStack, and the image in a container engine."""
