"""Metrics and reports of reconstruction and detection."""
