"""The whole stack in LocalStack, and the image in a container engine."""
