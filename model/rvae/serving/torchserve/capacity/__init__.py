"""What a server may take of the machine, and what it takes.

available.py  memory and descriptors that the machine or the container leaves
footprint.py  what of a model counts
usage.py      what a server takes at the moment
plan.py       the formula, and the largest server that fits
"""

from rvae.serving.torchserve.capacity.footprint import footprint
from rvae.serving.torchserve.capacity.plan import Plan, plan_server

__all__ = ["Plan", "footprint", "plan_server"]
