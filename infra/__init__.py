"""What surrounds the stack: LocalStack with the function in it, and the demo."""
