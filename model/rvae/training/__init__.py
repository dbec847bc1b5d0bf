"""From series to a calibrated checkpoint, with PyTorch Lightning."""
