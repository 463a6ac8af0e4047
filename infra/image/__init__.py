"""What builds the function's image."""
