"""What a score is and what it means: scorers, calibration, thresholds, bands and events."""
