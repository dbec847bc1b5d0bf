"""TorchServe's batches, so that no request waits for another to come.

A worker that becomes idle takes the first request of the queue and then, for `maxBatchDelay`,
those that come. A lone client pays this delay with every request; without a delay TorchServe takes
two requests at most. Here a worker takes what is in the queue at this moment and begins: of
`pollBatch`, two instructions are changed.
"""

from rvae.serving.torchserve.changed_class import ChangedClass

__all__ = ["WORK_CONSERVING_BATCHES"]

WORK_CONSERVING_BATCHES = ChangedClass(
    file="org/pytorch/serve/wlm/Model.class",
    sha256="7c5523f1fe77fe79aa32665469e17725e70518692abcf4987989ef72f10d4cff",
    changed_sha256="c94e1b521c242bbcb67feb16c027fa062407d559c326a882d8e94966b7688492",
    changes=(
        # long maxDelay = maxBatchDelay;   aload_0, getfield maxBatchDelay, i2l, lstore 6
        # long maxDelay = 0;               lconst_0, nop × 4, lstore 6
        ("2a b4 00 e8 85 37 06", "09 00 00 00 00 37 06"),
        # if (maxDelay <= 0) break;        lload 6, lconst_0, lcmp, ifgt +6, goto the end
        # The queue's being empty ends the loop before, as does a full batch.     nop × 3
        ("16 06 09 94 9d 00 06 a7 00 09", "16 06 09 94 9d 00 06 00 00 00"),
    ),
)
