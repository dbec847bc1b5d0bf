"""TorchServe without gRPC, for which it opens two ports of TCP that no setting closes.

Whoever reaches the one for management can register a model, and with it run code; a streamed
request to the other ends a worker. In `startAndWait`, the call that starts both is left out. What
stops them at the end takes it that there may be none.
"""

from rvae.serving.torchserve.changed_class import ChangedClass

__all__ = ["NO_GRPC"]

NO_GRPC = ChangedClass(
    file="org/pytorch/serve/ModelServer.class",
    sha256="779d0df5bfc17c5ad09ac46d63d9a017d48a4cd68c1b7464de914d3cb40190b9",
    changed_sha256="ce960d234928b4e5618b0f3f25dd53082c1ab38f5ee95b89f01ad8f2de2c3a89",
    changes=(
        # this.startGRPCServers();   aload_0, invokevirtual startGRPCServers
        #                            nop × 4
        ("2a b6 00 b4", "00 00 00 00"),
    ),
)
