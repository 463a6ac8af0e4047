"""The model: samples to frames, and frames to scores."""
