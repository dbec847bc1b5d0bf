"""Names that fit into a picture."""

__all__ = ["shortened"]


def shortened(name: str, length: int) -> str:
    """The name, or its beginning and a dot of omission if it is longer than `length`."""
    return name if len(name) <= length else name[: length - 1] + "…"
