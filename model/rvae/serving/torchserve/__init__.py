"""A TorchServe process that the `rvae serve` command and tests start.

server.py    the process: ports, configuration, readiness, end
java.py      its Java: which one, with which options
batching.py  its batches: requests that come meanwhile run together, and none waits for others
home.py      its workers: started without PyTorch
"""

from rvae.serving.torchserve.java import java_command
from rvae.serving.torchserve.server import LOOPBACK, SCRATCH_PREFIX, TorchServe, require_free

__all__ = ["LOOPBACK", "SCRATCH_PREFIX", "TorchServe", "java_command", "require_free"]
