import keras
import keras_hub
import numpy as np
from keras_hub.src.utils.tensor_utils import convert_to_numpy, no_convert_scope

from keras_axlstm.data.clip_batches import clip_batches
from keras_axlstm.models.clip_inputs import as_clips, is_dataset


class ClipTask(keras_hub.models.Task):
    """Base of tasks that train on and predict from clips of any lengths.

    A subclass turns labels into numbers (`encode_labels`); its preprocessor turns a list of clips
    into a dict of padded arrays, `"spectrogram"` among them.
    """

    def encode_labels(self, y):
        """Labels as an array of numbers `(clips, ...)`."""
        raise NotImplementedError

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        sample_weight=None,
        validation_data=None,
        validation_split=None,
        shuffle=True,
        **kwargs,
    ):
        """`keras.Model.fit` on audio; see the subclass for `x` and `y`.

        `validation_split` takes the clips at the end, before they are shuffled.
        """
        x, y, sample_weight = self._arrays(x, y, sample_weight)
        if validation_split and validation_data is None:
            if y is None:
                raise ValueError(
                    "`validation_split` needs clips and their labels as `x` and `y`. Received: "
                    "a data set, or no `y`. Give `validation_data`"
                )
            count = int(len(y) * (1 - validation_split))
            arrays = [x, y, sample_weight]
            validation_data = tuple(a[count:] for a in arrays if a is not None)
            x, y, sample_weight = (None if a is None else a[:count] for a in arrays)
        passes = kwargs.get("epochs", 1)
        if isinstance(validation_data, (tuple, list)):
            arrays = self._arrays(*validation_data)
            validation_data, steps = self._dataset(*arrays, batch_size=batch_size, passes=passes)
            _set_default(kwargs, "validation_steps", steps)
        dataset, steps = self._dataset(
            x, y, sample_weight, batch_size=batch_size, passes=passes, shuffle=shuffle
        )
        _set_default(kwargs, "steps_per_epoch", steps)
        # The order is drawn in the data set.
        return super().fit(dataset, validation_data=validation_data, shuffle=False, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """`keras.Model.evaluate` on audio; see the subclass for `x` and `y`."""
        if kwargs.get("_use_cached_eval_dataset", False):
            return super().evaluate(x, y, batch_size, sample_weight, **kwargs)
        arrays = self._arrays(x, y, sample_weight)
        dataset, steps = self._dataset(*arrays, batch_size=batch_size)
        _set_default(kwargs, "steps", steps)
        return super().evaluate(dataset, **kwargs)

    def predict(self, x=None, batch_size=None, **kwargs):
        """`keras.Model.predict` on audio; see the subclass for `x`."""
        dataset, steps = self._dataset(*self._arrays(x), batch_size=batch_size)
        _set_default(kwargs, "steps", steps)
        return super().predict(dataset, **kwargs)

    def preprocess_samples(self, x, y=None, sample_weight=None):
        if isinstance(x, dict) and "spectrogram" in x:
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return super().preprocess_samples(x, y, sample_weight)

    def _arrays(self, x, y=None, sample_weight=None):
        """Clips, labels and weights as arrays; data sets and preprocessed inputs as they are."""
        clips = as_clips(x, self.preprocessor)
        if y is not None and not is_dataset(x):
            y = self.encode_labels(y)
        if sample_weight is not None:
            sample_weight = convert_to_numpy(sample_weight)
        return clips, y, sample_weight

    def _dataset(self, x, *columns, batch_size, passes=1, shuffle=False):
        """A data set of batches, and how many batches are a pass if that is known."""
        given = [column for column in columns if column is not None]
        if is_dataset(x):
            if given or batch_size is not None:
                raise ValueError(
                    "A data set holds batches with their labels. Received: a data set, and beside "
                    "it `y`, `sample_weight` or `batch_size`"
                )
            return x, None
        batches, number = clip_batches(
            x,
            *given,
            batch_size=batch_size or 32,
            preprocess=self._preprocess,
            passes=passes,
            shuffle=shuffle,
        )
        if keras.backend.backend() == "tensorflow":
            from keras_axlstm.data.tensorflow_clips import as_tf_dataset

            batches = as_tf_dataset(batches, self.input, given)
        return batches, number

    def _preprocess(self, clips, *columns):
        """A list of clips to what the network reads, as NumPy arrays in a tuple with `columns`."""
        if isinstance(clips[0], dict):
            inputs = {name: np.stack([clip[name] for clip in clips]) for name in clips[0]}
        else:
            with no_convert_scope():
                inputs = self.preprocessor(clips)
        return inputs, *columns


def _set_default(arguments, name, value):
    if arguments.get(name) is None and value is not None:
        arguments[name] = value
