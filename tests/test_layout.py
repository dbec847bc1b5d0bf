"""The tests mirror the rooms of the library."""

from pathlib import Path

from tests.support.paths import ROOT

# Modules that are tested with what uses them: the module, and the file that tests it.
ELSEWHERE = {
    "config/data": "config/test_config.py",
    "config/model": "config/test_config.py",
    "config/scoring": "config/test_config.py",
    "config/training": "config/test_config.py",
    "data/arrays": "data/test_readers.py",
    "data/categories": "end_to_end/test_categories.py",
    "data/context": "networks/test_conditioning.py",
    "data/intervals": "data/test_calendar.py",
    "data/open_files": "data/test_stored.py",
    "data/roles": "data/test_tables.py",
    "data/series": "data/test_windows.py",
    "data/summary": "training/test_preflight.py",
    "data/vocabulary": "end_to_end/test_categories.py",
    "data/window_dataset": "data/test_windows.py",
    "errors": "config/test_config.py",
    "evaluation/affiliation": "evaluation/test_point_metrics.py",
    "evaluation/metrics": "training/test_validation.py",
    "evaluation/volume_under_surface": "evaluation/test_point_metrics.py",
    "inference/analysis": "inference/test_engine.py",
    "inference/card": "inference/test_artifact.py",
    "inference/evidence": "training/test_reference.py",
    "inference/records": "inference/test_export.py",
    "networks/convolutional": "networks/test_vae.py",
    "networks/dense": "networks/test_vae.py",
    "networks/features": "networks/test_conditioning.py",
    "networks/linear_path": "networks/test_instance_normalization.py",
    "networks/lstm": "training/test_precision.py",
    "networks/noise": "networks/test_likelihood.py",
    "plots/series": "end_to_end/test_examples.py",
    "serving/contract/answers": "serving/test_service.py",
    "serving/contract/arrow_stream": "serving/contract/test_tables.py",
    "serving/contract/beside": "serving/contract/test_query.py",
    "serving/contract/description": "serving/contract/test_openapi.py",
    "serving/contract/description_shapes": "serving/contract/test_openapi.py",
    "serving/contract/faults": "serving/contract/test_media.py",
    "serving/contract/field_schemas": "serving/contract/test_openapi.py",
    "serving/contract/flatbuffer": "serving/contract/test_tables.py",
    "serving/contract/form": "serving/contract/test_query.py",
    "serving/contract/given": "serving/contract/test_query.py",
    "serving/contract/latents": "serving/contract/test_tasks.py",
    "serving/contract/lists": "serving/contract/test_query.py",
    "serving/contract/messages": "serving/contract/test_query.py",
    "serving/contract/options": "serving/contract/test_query.py",
    "serving/contract/outputs": "serving/contract/test_openapi.py",
    "serving/contract/request_schema": "serving/contract/test_openapi.py",
    "serving/contract/said": "serving/contract/test_query.py",
    "serving/contract/shapes": "serving/contract/test_openapi.py",
    "training/calibration": "training/test_fit.py",
    "training/module": "training/test_fit.py",
    "training/optimization": "training/test_fit.py",
    "training/outliers": "training/test_reference.py",
    "training/resume": "training/test_fit.py",
}
# Tests of one aspect of a room, or of all its modules at once.
ASPECTS = {
    "config/config",
    "data/reader_folders",
    "serving/contract/tasks",
    "serving/handler",
    "serving/hostile",
    "serving/schemathesis",
    "serving/torchserve_formats",
    "training/on_disk",
    "training/precision",
}
# Tests of more than one room, and what they need.
TOGETHER = {"benchmarks", "end_to_end", "support"}


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
        if path.parts[0] not in TOGETHER and path.name != Path(__file__).name
    }


def test_every_module_has_a_test_of_its_name_or_is_listed() -> None:
    assert modules() - names_of_tests() == set(ELSEWHERE)


def test_what_is_listed_is_tested_there() -> None:
    for module, path in ELSEWHERE.items():
        assert (ROOT / "tests" / path).is_file(), module


def test_a_test_that_is_named_for_no_module_is_listed() -> None:
    assert names_of_tests() - modules() == ASPECTS


def test_no_module_is_outside_the_rooms() -> None:
    rooms = {Path(name).parts[0] for name in modules() if "/" in name} | TOGETHER
    paths = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*.py")]
    outside = {path.name for path in paths if path.parts[0] not in rooms}
    assert outside == {"__init__.py", "conftest.py", "test_cli.py", "test_layout.py"}
