"""The contract stays free of torch and the network, so that a client or a gateway can use it."""

import subprocess
import sys

EVERY_MODULE = """
import importlib, pkgutil, sys
import rvae.serving.contract as contract
for module in pkgutil.walk_packages(contract.__path__, contract.__name__ + "."):
    importlib.import_module(module.name)
    print(module.name)
"""
PIPELINE = "import rvae.serving.contract.pipeline"


def modules_after(code: str) -> tuple[set[str], list[str]]:
    """What is imported after some code in a fresh process, and what the code prints."""
    program = f"{code}\nimport sys\nprint('|', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    printed, _, imported = done.stdout.partition("|")
    return set(imported.split()), printed.split()


def test_no_module_of_the_contract_imports_torch_or_the_network() -> None:
    imported, names = modules_after(EVERY_MODULE)
    assert "rvae.serving.contract.schema.openapi" in names and len(names) > 30
    heavy = {
        name
        for name in imported
        if name.partition(".")[0] == "torch" or name.startswith("rvae.networks")
    }
    assert not heavy
    assert "rvae.inference.artifact" not in imported


def test_a_server_that_is_sent_no_tables_does_not_import_pyarrow() -> None:
    imported, _ = modules_after(PIPELINE)
    assert "pyarrow" not in imported
