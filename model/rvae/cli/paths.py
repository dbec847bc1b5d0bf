"""Paths as users write them."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from rvae.errors import FieldError

__all__ = ["expand_paths"]


def expand_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with `~` in all its paths expanded; that of data is expanded by its reader."""

    @wraps(command)
    def run(**options: Any) -> Any:
        for name, value in options.items():
            if isinstance(value, Path):
                try:
                    options[name] = value.expanduser()
                except RuntimeError as error:
                    raise FieldError(name, f"{value}: {error}") from None
        return command(**options)

    # jsonargparse looks for this name in all packages above, where `rvae.fit` imports Lightning.
    run.__qualname__ += "_command"
    return run
