"""Series and latents of requests, checked against the model: lists, arrays and tables."""
