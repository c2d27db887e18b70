from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class ScheduleByUpdates(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate schedule by updates of the weights, under gradient accumulation.

    Keras asks a schedule for the rate of each batch, counting batches also where several make one
    update (Keras 3.15).

    Args:
        schedule: the schedule, of updates.
        batches: int. Batches of an update.

    Example:

    ```python
    import keras

    from keras_axlstm.training.schedule_by_updates import ScheduleByUpdates

    schedule = keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=100)
    ScheduleByUpdates(schedule, batches=2)(3)  # the rate of update 1: batches 2 and 3
    ```
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, batches: int
    ) -> None:
        super().__init__()
        self.schedule = schedule
        self.batches = batches

    def __call__(self, step: Any) -> Any:
        return self.schedule(ops.floor_divide(step, self.batches))

    def get_config(self) -> dict[str, Any]:
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "batches": self.batches,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ScheduleByUpdates":
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["batches"])
