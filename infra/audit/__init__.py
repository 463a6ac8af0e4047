"""Looking for weak spots: what well-kept checkers say of the template and of the pinned packages."""
