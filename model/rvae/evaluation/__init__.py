"""How well models reconstruct and detect: metrics and reports."""
