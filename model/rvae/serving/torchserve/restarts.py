"""TorchServe's pauses before it starts a worker again, so that a dead one is back at once.

A worker that has died waits a second for the next start, and one that dies while it loads 1, 2, 3,
5, 8 and up to 1597 seconds: whoever ends ten in a row makes an outage of minutes. Here the first
start follows at once, and every later one after a second. `retry` takes its pause from a list, at a
place that it moves on by one until the list ends.
"""

from rvae.serving.torchserve.changed_class import ChangedClass

__all__ = ["PROMPT_RESTARTS"]

PROMPT_RESTARTS = ChangedClass(
    file="org/pytorch/serve/wlm/WorkerThread.class",
    sha256="5292f5b79ac1ec509876cd997e2605848fd79f0b15b24ebd1a96c9c6b035ffd6",
    changed_sha256="ea157b753159d5f8f75e0d9241d7ae1bc54be0dfd212101d8a01b9310a133d8d",
    changes=(
        # BACK_OFF[1] = 1;   dup, iconst_1, iconst_1, iastore
        # BACK_OFF[1] = 0;   dup, iconst_1, iconst_0, iastore
        ("59 04 04 4f", "59 04 03 4f"),
        # if (place < BACK_OFF.length - 1)   getstatic, arraylength, iconst_1, isub, if_icmpge
        # if (place < 2)                     getstatic, pop, iconst_2, nop, if_icmpge
        ("b2 02 eb be 04 64 a2 00 0d", "b2 02 eb 57 05 00 a2 00 0d"),
    ),
)
