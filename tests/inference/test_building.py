from dataclasses import replace

import numpy as np
import pytest
import torch

from rvae.errors import FieldError
from rvae.inference.building import build_network, build_scorer, network_of
from tests.support.networks import network_card, scored
from tests.support.untrained import KINDS

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_has_the_weights_it_is_given(kind: str) -> None:
    """Tensors of a checkpoint, or arrays of a folder."""
    given = network_of(KINDS[kind]).state_dict()
    arrays = {name: tensor.numpy() for name, tensor in given.items()}
    for weights in (given, arrays):
        network = build_network(KINDS[kind], weights)
        for name, tensor in network.state_dict().items():
            torch.testing.assert_close(tensor, given[name], rtol=0, atol=0)


def test_a_network_is_ready_for_inference() -> None:
    card = network_card("lstm")
    network = build_network(card, network_of(card).state_dict())
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_no_random_numbers_are_taken() -> None:
    card = network_card("lstm")
    weights = network_of(card).state_dict()
    before = torch.get_rng_state()
    build_network(card, weights)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_of_another_network_are_refused() -> None:
    weights = network_of(network_card("gru")).state_dict()
    with pytest.raises(FieldError, match="do not fit") as caught:
        build_network(network_card("lstm"), weights)
    assert caught.value.field == "checkpoint"


def test_a_scorer_has_the_state_it_is_given() -> None:
    artifact = scored(network_card("lstm"), "excess")
    scorer = build_scorer(artifact, artifact.build(), CPU)
    state = scorer.state()
    assert state.keys() == artifact.scorer.keys()
    for name, array in artifact.scorer.items():
        np.testing.assert_array_equal(state[name], array, strict=True)


def test_a_state_of_another_scorer_is_refused() -> None:
    artifact = scored(network_card("lstm"), "excess")
    with pytest.raises(FieldError, match="does not fit") as caught:
        build_scorer(replace(artifact, scorer={}), artifact.build(), CPU)
    assert caught.value.field == "checkpoint"
