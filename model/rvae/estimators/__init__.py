"""The Python face of a model: frames in, frames out."""
