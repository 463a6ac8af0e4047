"""The recipe: speech and noise -> labelled mixtures -> features -> trained model -> evaluation -> export."""
