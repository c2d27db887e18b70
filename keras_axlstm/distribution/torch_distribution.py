import os
import types
from typing import Any

import keras
import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel

from keras_axlstm.distribution.distribution import Distribution

PROCESS_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class TorchDistribution(Distribution):
    """The processes that `torchrun` started, one device each.

    Raises:
        ValueError: the process was not started by `torchrun`.
    """

    def __init__(self) -> None:
        missing = [name for name in PROCESS_VARIABLES if name not in os.environ]
        if missing:
            raise ValueError(
                "On the torch backend distribution='data' needs processes started by `torchrun`, "
                "for example `torchrun --nproc-per-node 2 -m keras_axlstm pretrain ...`. "
                f"Received: a process without the variables {', '.join(missing)}"
            )
        on_gpu = torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if on_gpu else "gloo")
        self.process_index = distributed.get_rank()
        self.process_count = self.device_count = distributed.get_world_size()

    def prepare(self, model: keras.Model) -> None:
        parallel = DistributedDataParallel(_Loss(model))
        # The optimizer finds the gradients where they are without DistributedDataParallel.
        model.train_step = types.MethodType(_train_step, model)
        model.get_metrics_result = types.MethodType(_metrics_of_all, model)
        # Not an attribute: Keras would take it for a layer of the model, which it contains.
        object.__setattr__(model, "_parallel_loss", [parallel])

    def barrier(self) -> None:
        distributed.barrier()


class _Loss(torch.nn.Module):
    """From a batch to the loss: what DistributedDataParallel must see from the first tensor on."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model._compute_loss(x=x, y_pred=self.model(x, training=True))


def _train_step(model: keras.Model, data: Any) -> dict[str, float]:
    """As Keras' own, through DistributedDataParallel."""
    x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
    model.zero_grad()
    loss = model._parallel_loss[0](x)
    model._loss_tracker.update_state(loss.detach(), sample_weight=len(x))
    model.optimizer.scale_loss(loss).backward()
    weights = model.trainable_weights[:]
    with torch.no_grad():
        model.optimizer.apply([weight.value.grad for weight in weights], weights)
    return model.get_metrics_result()


def _metrics_of_all(model: keras.Model) -> dict[str, float]:
    """Means over the processes, whose parts of a batch are equal."""
    logs = type(model).get_metrics_result(model)
    means = torch.stack([torch.as_tensor(value).detach().float() for value in logs.values()])
    distributed.all_reduce(means)
    return dict(zip(logs, (means / distributed.get_world_size()).tolist(), strict=True))
