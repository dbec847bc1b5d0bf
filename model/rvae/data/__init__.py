"""Series in, windows out."""
