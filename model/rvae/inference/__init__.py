"""A trained model at work: card, artifact, engine, and results as records and files."""
