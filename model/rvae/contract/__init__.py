"""What comes over the wire and what goes back, by the kind of content."""
