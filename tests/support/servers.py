"""A server for tests."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rvae.serving.model_store import Archive
from rvae.serving.torchserve import TorchServe
from tests.support.forwarding import forwarded

__all__ = ["Server"]


class Server(TorchServe):
    """A TorchServe whose predictions have a port.

    Attributes:
        url: Address of the predictions.
    """

    def __init__(self, archives: Sequence[Archive], workers: int, logs: Path) -> None:
        super().__init__(archives, workers, logs)
        self._port = ExitStack()
        self.url = self._port.enter_context(forwarded(self.inference))

    def stop(self) -> None:
        """End the server, its workers and the port."""
        self._port.close()
        super().stop()
