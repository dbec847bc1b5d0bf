"""Scores and their meaning: scorers, calibration, thresholds, bands and events."""
