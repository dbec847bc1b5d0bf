"""How well a model reconstructs and detects."""
