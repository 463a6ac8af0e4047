"""Scripts that build the function's image."""
