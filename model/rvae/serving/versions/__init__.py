"""Versions of a model that replace each other while clients ask.

management.py   speaks with the socket of a running `rvae serve`
served.py       what that says of itself
steps.py        runs steps, says them, and undoes them
candidate.py    whether an archive is sound
store_copy.py   puts it into the server's store
change.py       what is done to a version until it is the default
rollout.py      all of that for a new archive
rollback.py     and for a version that was the default
trial.py        old and new version answer the same requests
traffic.py      these requests
replay.py       asks them
comparison.py   how far the answers are apart
observation.py  how clients fare meanwhile
"""
