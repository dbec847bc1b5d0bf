"""Encoders and decoders: plain modules from windows to features and from latents to parameters."""
