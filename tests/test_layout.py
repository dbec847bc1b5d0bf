"""The tests mirror the rooms of the library."""

from pathlib import Path

from tests.support.paths import ROOT

# Modules of dataclasses and types, and the file that tests what uses them.
ELSEWHERE = {
    "networks/architecture": "networks/test_encoder_recipe.py",
    "serving/contract/formats/format": "serving/contract/test_format_recipe.py",
    "serving/contract/messages": "serving/contract/formats/test_negotiation.py",
    "serving/contract/outputs/output": "serving/contract/test_output_recipe.py",
    "serving/contract/query": "serving/contract/test_results.py",
    "serving/contract/sizes": "serving/contract/test_answer_values.py",
    "serving/contract/schema/description_schema": "serving/contract/test_description.py",
    "serving/contract/schema/parts": "serving/contract/schema/test_openapi.py",
    "serving/contract/schema/protocol_paths": "serving/contract/schema/test_openapi.py",
    "serving/versions/served": "serving/versions/test_management.py",
    "serving/gateway/limits": "serving/gateway/test_connection.py",
    "serving/gateway/messages": "serving/gateway/test_predictions.py",
    "serving/metrics/report": "serving/metrics/test_meter.py",
    "serving/torchserve/management/surroundings": "serving/torchserve/management/test_serving.py",
}
# Tests of one aspect of a room, or of all its modules at once.
ASPECTS = {
    "data/bad_files",
    "data/reader_folders",
    "data/reader_recipe",
    "networks/encoder_recipe",
    "networks/likelihood_recipe",
    "scoring/event_rates",
    "scoring/score_recipe",
    "serving/any_server",
    "serving/contract/format_recipe",
    "serving/contract/imports",
    "serving/contract/memory",
    "serving/contract/output_recipe",
    "serving/contract/outputs/outputs",
    "serving/contract/tasks",
    "serving/gateway/abuse",
    "serving/gateway/memory",
    "serving/gateway/smuggling",
    "serving/handler",
    "serving/hostile",
    "serving/imports",
    "serving/metrics/alerting",
    "serving/metrics/board",
    "serving/metrics/monitoring",
    "serving/schemathesis",
    "serving/torchserve_formats",
    "serving/worker",
    "training/on_disk",
    "training/precision",
}
# Folders of tests of more than one room, and of what tests need.
SHARED_FOLDERS = {"benchmarks", "deployment", "docker", "end_to_end", "faults", "support"}


def modules() -> set[str]:
    """Modules of the library, as paths without a suffix."""
    library = ROOT / "model" / "rvae"
    found = {path.relative_to(library).with_suffix("").as_posix() for path in library.rglob("*.py")}
    return {name for name in found if not Path(name).name.startswith("_")}


def names_of_tests() -> set[str]:
    """Modules that a test is named for, if there are such."""
    paths = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    return {
        (path.parent / path.stem.removeprefix("test_")).as_posix()
        for path in paths
        if path.parts[0] not in SHARED_FOLDERS and path.name != Path(__file__).name
    }


def test_every_module_has_a_test_of_its_name_or_is_listed() -> None:
    assert modules() - names_of_tests() == set(ELSEWHERE)


def test_what_is_listed_is_tested_there() -> None:
    for module, path in ELSEWHERE.items():
        name = f"rvae.{module.replace('/', '.')}"
        assert f"from {name} import" in (ROOT / "tests" / path).read_text(), module


def test_a_test_that_is_named_for_no_module_is_listed() -> None:
    assert names_of_tests() - modules() == ASPECTS


def test_no_module_is_outside_the_rooms() -> None:
    rooms = {Path(name).parts[0] for name in modules() if "/" in name} | SHARED_FOLDERS
    paths = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*.py")]
    outside = {path.name for path in paths if path.parts[0] not in rooms}
    assert outside == {
        "__init__.py",
        "conftest.py",
        "test_errors.py",
        "test_layout.py",
    }
