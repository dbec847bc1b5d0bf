"""What several tests share: generators of data, untrained models, clients and processes."""
