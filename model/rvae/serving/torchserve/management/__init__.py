"""Management of a server that answers requests meanwhile: what stands behind its socket.

application.py   what can be asked there
targets.py       paths and queries, as TorchServe reads them
serving.py       what is served at the moment, told to all who have to know
surroundings.py  what it needs of the server
models.py        TorchServe's own management, asked without waiting in a thread
changes.py       defaults, workers and versions that are taken away, without harm to requests
registration.py  versions that are added
readiness.py     until the workers of a version have loaded, or why they do not
replies.py       what it says
"""

from rvae.serving.torchserve.management.application import Management
from rvae.serving.torchserve.management.surroundings import Surroundings

__all__ = ["Management", "Surroundings"]
