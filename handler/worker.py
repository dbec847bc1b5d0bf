"""TorchServe's worker process, which imports PyTorch only when something uses it.

`rvae serve` runs it in place of TorchServe's `model_service_worker.py`, and runs that from here.
TorchServe imports torch only to recognise a tensor among the answers: seconds and 170 MB in every
worker, also of a handler that needs no torch.
"""

import importlib
import runpy
import socket
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

BUFFER_BYTES = 1 << 16


class DeferredModule(ModuleType):
    """A module that is imported when one of its attributes is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


class BufferedConnection:
    """What TorchServe reads requests from, with a buffer: it receives every field by itself."""

    def __init__(self, connection: socket.socket) -> None:
        self.recv = connection.makefile("rb", BUFFER_BYTES).read


def main() -> None:
    """Run TorchServe's worker with the arguments of the command line."""
    # Python looks here first, but a handler's imports are not meant to be found here.
    here = Path(__file__).parent
    sys.path[:] = [path for path in sys.path if Path(path) != here]
    sys.modules["torch"] = DeferredModule("torch")
    from ts.protocol import otf_message_handler

    # What is imported from here on gets the module itself.
    del sys.modules["torch"]
    buffered = lru_cache(maxsize=1)(BufferedConnection)
    retrieve = otf_message_handler.retrieve_msg
    otf_message_handler.retrieve_msg = lambda connection: retrieve(buffered(connection))
    runpy.run_module("ts.model_service_worker", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
