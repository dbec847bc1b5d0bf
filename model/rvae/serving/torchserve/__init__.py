"""TorchServe, as the `rvae serve` command and tests start it.

endpoint.py       all of it behind a gateway
server.py         the process: sockets, configuration, readiness, end
scratch.py        its folder, which nobody else can enter, and what a killed one has left of it
java.py           its Java: which one, with which options
home.py           its workers: started without PyTorch
registrations.py  what it serves
start.py          what `rvae serve` begins with: store, state and memory
lineup.py         what is served of a store, given what was served before
state.py          what is served, and what it takes to serve the same again
state_file.py     that on disk, where plain TorchServe finds it, too
snapshots.py      that in TorchServe's own form
properties.py     Java's files of properties
unready.py        what does not become ready
worker_log.py     why its workers end
verdicts.py       what its own answers mean
classes.py        its classes: changed ones, and an archive of all for a faster start
changed_class.py  a class with other instructions
batching.py       its batches: requests that come meanwhile run together, and none waits for others
no_grpc.py        no port of TCP
restarts.py       its workers: started again at once
management/       how versions come and go while requests are answered
supervision/      what keeps it answering
"""

from rvae.serving.torchserve.endpoint import Endpoint
from rvae.serving.torchserve.java import java_command
from rvae.serving.torchserve.lineup import fresh_state
from rvae.serving.torchserve.scratch import require_short
from rvae.serving.torchserve.server import TorchServe

__all__ = ["Endpoint", "TorchServe", "fresh_state", "java_command", "require_short"]
