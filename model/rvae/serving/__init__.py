"""From a checkpoint to an HTTP endpoint: the contract, the service, packaging, TorchServe."""
