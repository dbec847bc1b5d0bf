"""What goes to TorchServe as files: the handler and its configuration."""
