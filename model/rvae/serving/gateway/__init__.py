"""The gateway: what clients speak with, in front of a server that is trusted with less.

It owns the public port, bounds what a client can take (connections, time, memory, places in the
queue), and hands complete requests to a backend on a Unix socket. It knows neither the model nor
the backend's program.

limits.py       every bound
messages.py     a request, an answer, an error
http.py         HTTP on the wire: answers, requests to the backend
request_reader.py  the bytes of a connection → a request
connection.py   a connection of a client: reads requests, writes answers
connections.py  all of them: how many, how long, how slow
budget.py       bytes of bodies and answers in memory
backend.py      a backend: its sockets, its connections, what its answers mean
turns.py        which requests of a model run beside each other
routes.py       which version answers a request, and what requests it has
dispatcher.py   a request's way through the backend: queue, deadline, repetition
paths.py        the paths of the public port
predictions.py  the public port: which requests are allowed
open_inference.py  what the Open Inference Protocol asks, and no model answers
shadows.py      copies of requests for a version that answers nobody yet
recordings.py   requests as they were sent, for who wants to ask them again
forwarding.py   management, and the backend's metrics
metrics_page.py    all metrics
traffic.py      counts of requests
gateway.py      listeners, start, end
"""
