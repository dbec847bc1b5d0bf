"""Predictions of a server, from Python."""
