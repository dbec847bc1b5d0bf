"""Plots of series, scores and of how a model learns."""
