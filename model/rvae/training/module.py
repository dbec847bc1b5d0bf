"""The Lightning module: training and validation steps."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from rvae.config import ObjectiveConfig, TrainingConfig
from rvae.evaluation.metrics import active_units
from rvae.inference.building import network_of
from rvae.inference.card import ModelSpec
from rvae.inference.checkpoints import CARD_KEY
from rvae.networks.noise import window_noise
from rvae.networks.objective import Terms, kl_weight, negative_elbo
from rvae.networks.tensor_batch import TensorBatch
from rvae.training.masking import mask_values
from rvae.training.optimization import optimizer, schedule

__all__ = ["TrainingModule"]

# Of training: single steps, and means over the windows of an epoch.
LOGGED = ("loss", "reconstruction", "kl", "beta")


class TrainingModule(pl.LightningModule):
    """A VAE with its objective.

    Args:
        spec: Specification of the model.
        objective: The loss.
        training: Optimizer and schedule.
    """

    def __init__(
        self, spec: ModelSpec, objective: ObjectiveConfig, training: TrainingConfig
    ) -> None:
        super().__init__()
        self.spec = spec
        self.objective = objective
        self.training_config = training
        self.vae = network_of(spec)
        self.save_hyperparameters(
            {
                "model": asdict(spec.model),
                "objective": asdict(objective),
                "training": asdict(training),
            }
        )
        self._held_out = Sums(spec.model.latent)

    def training_step(self, batch: TensorBatch, batch_index: int) -> Tensor:
        if batch_index == 0:
            # Random numbers of an epoch depend on seed, epoch and process only, so that training
            # can be resumed.
            seeds = [self.training_config.seed, self.current_epoch, self.global_rank]
            torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
        mask = ~batch.x.isnan()
        visible = mask_values(mask, self.training_config.hide or 0.0)
        terms = negative_elbo(
            self.vae, batch.x, mask, batch.context, self.objective.sampling_noise, visible
        )
        beta = kl_weight(self.objective, self.global_step / self.trainer.estimated_stepping_batches)
        loss = terms.loss(beta, self.objective.free_bits)
        values = [loss, terms.reconstruction.mean(), terms.kl.sum(1).mean(), loss.new_tensor(beta)]
        self._log(torch.stack(values).detach(), len(batch.x), batch_index)
        return loss

    def _log(self, values: Tensor, windows: int, batch_index: int) -> None:
        """Log the values of a batch (4,), which are `LOGGED`, and at the end their means.

        Lightning's own means would be several calls at every step, which a small network notices.
        """
        if batch_index == 0:
            self._sums, self._windows = torch.zeros_like(values), 0
        self._sums += windows * values
        self._windows += windows
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if (self.global_step + 1) % every == 0:
            self.log_dict(_named(values, "step"))
        if self.trainer.is_last_batch:
            self.log_dict(
                _named(self._sums / self._windows, "epoch"),
                on_step=False,
                on_epoch=True,
                sync_dist=True,
                batch_size=self._windows,
            )

    def on_validation_epoch_start(self) -> None:
        self._held_out = Sums(self.spec.model.latent)

    def validation_step(self, batch: TensorBatch, batch_index: int) -> None:
        processes, size = self.trainer.world_size, self.training_config.batch_size
        first = batch_index * size * processes + self.global_rank
        windows = range(first, first + len(batch.x) * processes, processes)
        # The same noise at each epoch: the best checkpoint must not depend on a lucky draw.
        noise = window_noise(windows, self.spec.model.latent, self.training_config.seed)
        mask = ~batch.x.isnan()
        self._held_out.add(
            negative_elbo(self.vae, batch.x, mask, batch.context, noise.to(batch.x.device))
        )

    def on_validation_epoch_end(self) -> None:
        sums = self._held_out.of_all_processes(self.trainer.strategy.reduce, self.device)
        # Always at the full weight, so that epochs of the warm-up are comparable.
        loss = sums.reconstruction + self.objective.beta * sums.kl.sum()
        self.log("validation/loss", loss, prog_bar=True, sync_dist=True)
        self.log_dict(
            {
                "validation/reconstruction": sums.reconstruction,
                "validation/kl": sums.kl.sum(),
                "validation/active_units": float(active_units(sums.variance.numpy())),
                **{f"kl/dimension_{i:03}": nats for i, nats in enumerate(sums.kl)},
            },
            sync_dist=True,
        )

    def configure_optimizers(self) -> Any:
        made = optimizer(self.training_config, self.vae.parameters())
        rate = schedule(self.training_config, made, int(self.trainer.estimated_stepping_batches))
        return made if rate is None else {"optimizer": made, "lr_scheduler": rate}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[CARD_KEY] = self.spec.to_dict()


def _named(values: Tensor, span: str) -> dict[str, Tensor]:
    return {f"train/{name}_{span}": value for name, value in zip(LOGGED, values, strict=True)}


class Sums:
    """Sums of the terms of windows, which can be added up over processes.

    Args:
        latent: Latent dimensions D.
    """

    def __init__(self, latent: int) -> None:
        self._content = torch.zeros(2 + 3 * latent, dtype=torch.float64)
        self._latent = latent

    def add(self, terms: Terms) -> None:
        """Add the terms of some windows."""
        rows = torch.cat(
            [terms.reconstruction[:, None], terms.kl, terms.latent, terms.latent**2], dim=1
        )
        rows = rows.double().cpu()
        self._content += torch.cat([torch.tensor([float(len(rows))]), rows.sum(0)])

    def of_all_processes(self, reduce: Any, device: torch.device) -> "Sums":
        """Sums over all processes, by Lightning's `reduce`."""
        sums = Sums(self._latent)
        sums._content = reduce(self._content.to(device), reduce_op="sum").cpu()
        return sums

    @property
    def reconstruction(self) -> Tensor:
        """Mean of the reconstruction term."""
        return self._content[1] / self._content[0]

    @property
    def kl(self) -> Tensor:
        """Mean of each latent dimension's KL divergence (D,)."""
        return self._means()[0]

    @property
    def variance(self) -> Tensor:
        """Variance over windows of each latent dimension's centre (D,)."""
        _, mean, square = self._means()
        return square - mean**2

    def _means(self) -> Tensor:
        return (self._content[2:] / self._content[0]).view(3, self._latent)
