"""Versions of the software in use."""

import platform
from importlib.metadata import PackageNotFoundError, version

from rvae._version import __version__

__all__ = ["software_versions"]

# Of these a server may lack some: it needs only the runtime of its models.
PACKAGES = ("torch", "onnxruntime", "openvino", "numpy")


def software_versions() -> dict[str, str]:
    """Versions of the software in use, by name. Nothing is imported for it."""
    found = {"rvae": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {"python": platform.python_version()}
