"""Versions that do not become ready, and why."""

from collections.abc import Mapping

from rvae.errors import FieldError
from rvae.serving.torchserve.registrations import Registration

__all__ = ["UnreadyError"]


class UnreadyError(FieldError):
    """Versions that do not become ready.

    Attributes:
        reasons: Why each of them does not, in words.
    """

    def __init__(self, reasons: Mapping[Registration, str]) -> None:
        said = [f"{one} ({one.file}) {why}" for one, why in reasons.items()]
        super().__init__("server", "; ".join(said))
        self.reasons = dict(reasons)
