"""Registrations as a server has them."""

from rvae.serving.torchserve.registrations import Registration

__all__ = ["registration"]


def registration(
    version: str, name: str = "toy", default: bool = False, workers: int = 1
) -> Registration:
    """A version of a model, in a file of the usual name."""
    return Registration(
        name=name,
        version=version,
        file=f"{name}-{version}.mar",
        default=default,
        min_workers=workers,
        max_workers=workers,
        batch_size=32,
        batch_delay=1,
        response_timeout=60,
        startup_timeout=90,
    )
