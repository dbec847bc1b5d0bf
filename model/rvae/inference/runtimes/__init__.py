"""What computes a model: torch on any device, or graphs of another runtime on the CPU."""
