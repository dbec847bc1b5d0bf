"""TorchServe, as the `rvae serve` command and tests start it.

endpoint.py       all of it behind a gateway
verdicts.py       what its own answers mean
server.py         the process: sockets, configuration, readiness, end
scratch.py        its folder, which nobody else can enter
java.py           its Java: which one, with which options
classes.py        its classes: changed ones, and an archive of all for a faster start
changed_class.py  a class with other instructions
batching.py       its batches: requests that come meanwhile run together, and none waits for others
no_grpc.py        no port of TCP
home.py           its workers: started without PyTorch
restarts.py       its workers: started again at once
supervisor.py     another one in its place, when it cannot be healed
watch.py          what is seen of it from outside
workers.py        its workers: which of them live, and the end of those that hang
recovery.py       its workers: models that stay without one
observer.py       its management, asked once a second
registrations.py  what it serves, and how another one comes to serve the same
contents.py       what of its folder has to stay
health.py         whether it is ready, in words
"""

from rvae.serving.torchserve.endpoint import Endpoint
from rvae.serving.torchserve.java import java_command
from rvae.serving.torchserve.scratch import require_short
from rvae.serving.torchserve.server import TorchServe

__all__ = ["Endpoint", "TorchServe", "java_command", "require_short"]
