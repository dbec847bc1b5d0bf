"""Files of the archive for TorchServe: the handler and its configuration."""
