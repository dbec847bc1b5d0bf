"""What keeps TorchServe answering.

supervisor.py  another one in its place, when it cannot be healed
watch.py       what is seen of it from outside
workers.py     its workers: which of them live, and the end of those that hang
recovery.py    its models that stay without a worker
observer.py    its management, asked once a second
contents.py    what of its folder has to stay
health.py      whether it is ready, in words
"""
