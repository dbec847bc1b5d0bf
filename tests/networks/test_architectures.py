import pytest

from rvae.config import DenseConfig, ModelConfig, RecurrentConfig
from rvae.errors import FieldError
from rvae.networks.architectures import ARCHITECTURES, architecture_options


def test_an_architecture_of_the_package_has_the_options_of_its_section() -> None:
    model = ModelConfig("dense", dense=DenseConfig((3,)), recurrent=RecurrentConfig(hidden=5))
    assert architecture_options(model) is model.dense
    assert architecture_options(ModelConfig("rvae.networks.recurrent:RECURRENT")).hidden == 64
    for name in ARCHITECTURES.names:
        assert architecture_options(ModelConfig(name)) == getattr(ModelConfig(), name)


def test_options_beside_a_section_are_refused() -> None:
    with pytest.raises(FieldError, match=r"in model\.recurrent"):
        architecture_options(ModelConfig(options={"hidden": 3}))
