"""Versions of a model that replace each other while clients ask.

management.py   speaks with the socket of a running `rvae serve`
served.py       what that says of itself
servers.py      those that a command is for: one, or all of a folder
steps.py        runs steps, says them, and undoes them
candidate.py    whether an archive is sound
store_copy.py   puts it into the server's store
server_change.py  what is done to a version on one server until it is the default
change.py       each of that as a step on all servers
succession.py   the same for servers that appear meanwhile
rollout.py      all of that for a new archive
rollback.py     and for a version that was the default
trial.py        old and new version answer the same requests
traffic.py      these requests
replay.py       asks them
comparison.py   how far the answers are apart
observation.py  how clients fare meanwhile
"""
