import keras

from keras_axlstm.layers.sequence_pooling import SequencePooling
from keras_axlstm.models.adapter import adapter_options, load_adapter, save_adapter
from keras_axlstm.models.class_labels import ClassLabels
from keras_axlstm.models.classifier_checks import check_bands, check_class_token
from keras_axlstm.models.clip_task import ClipTask
from keras_axlstm.models.presets import check_preset


class AudioClassifier(ClipTask):
    """Classes of audio clips of any length: an encoder, pooling over time and a dense layer.

    A `keras_hub.models.Task`; `AudioClassifier(encoder, ...)` and `AudioClassifier.from_preset`
    give the subclass for the encoder. `fit`, `evaluate` and `predict` take

    - a list of paths, or of waveforms `(samples,)` of any lengths, or an array `(clips, samples)`,
      at the sampling rate of the preprocessor; with `y` as below, and shuffled by `fit`;
    - a `tf.data` or grain data set of batches `(waveforms, y)`.

    Clips of a batch are padded to one length under a mask, which changes no score.

    To train the new layers only, set `classifier.backbone.trainable = False`; to train low-rank
    updates (LoRA), call `classifier.backbone.enable_lora(rank=8)`; both before `compile`. Without,
    all weights are trained. `keras_axlstm.training.fine_tuning_optimizer` has the learning rates.

    Args:
        backbone: an `AxLSTMEncoder` or `SSASTEncoder`.
        num_classes: int of at least 2, or 1 with `multi_label`. Default: the number of class
            names.
        class_names: list of strings, kept in presets, or None: then `"0"`, `"1"`, ...
        preprocessor: an `AudioClassifierPreprocessor`, or None: then inputs are dicts as it
            gives them.
        multi_label: bool. A clip may have several classes or none.
        pooling: `"mean"`, `"class_token"` or `"attention"`, as `SequencePooling` defines them.
        activation: of the scores. `"auto"`: softmax, or sigmoid with `multi_label`. None: logits.
        dropout: float in [0, 1), before the dense layer.
        spec_augment: a `SpecAugment` layer for training, or None.
        mixup: a `Mixup` layer for training, or None.

    Labels `y`: class indices or names `(clips,)`; with `multi_label` 0 or 1 for each class
    `(clips, num_classes)`, or a list of lists of names.

    Returns:
        Scores, float32 `(clips, num_classes)`.

    Raises:
        ValueError: a bad argument; labels that do not fit the classes; audio that cannot be read,
            before anything is computed where its header says so.

    Example:

    ```python
    import keras_axlstm

    classifier = keras_axlstm.AudioClassifier.from_preset(
        "axlstm_tiny", load_weights=False, class_names=["melody", "rain"]
    )
    paths = ["examples/audio/melody.flac", "examples/audio/rain.ogg"]
    classifier.fit(paths, ["melody", "rain"])
    classifier.decode_predictions(classifier.predict(paths), top=1)
    ```
    """

    def __new__(cls, *args, **kwargs):
        # Keras calls it without arguments while it turns a class into a functional one.
        if cls is AudioClassifier and (args or kwargs):
            backbone = kwargs["backbone"] if "backbone" in kwargs else (*args, None)[0]
            cls = _class_for(backbone)
        return super().__new__(cls, *args, **kwargs)

    def __init__(
        self,
        backbone,
        num_classes=None,
        class_names=None,
        preprocessor=None,
        multi_label=False,
        pooling="mean",
        activation="auto",
        dropout=0.0,
        spec_augment=None,
        mixup=None,
        **kwargs,
    ):
        if not isinstance(backbone, self.backbone_cls):
            raise ValueError(
                f"`backbone` must be an {self.backbone_cls.__name__}. Received: {backbone!r}"
            )
        labels = ClassLabels(num_classes, class_names, multi_label)
        check_class_token(backbone, pooling)
        check_bands(backbone, preprocessor)
        dtype = backbone.dtype_policy

        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.spec_augment = spec_augment
        self.mixup = mixup
        self.pooler = SequencePooling(
            pooling,
            bands=backbone.grid_size[1],
            patch_frames=backbone.patch_size[0],
            use_class_token=backbone.use_class_token,
            dtype=dtype,
            name="pooler",
        )
        self.output_dropout = keras.layers.Dropout(dropout, dtype=dtype, name="output_dropout")
        default_activation = "sigmoid" if multi_label else "softmax"
        # float32: half precision would round small scores.
        self.output_dense = keras.layers.Dense(
            labels.num_classes,
            activation=default_activation if activation == "auto" else activation,
            dtype="float32",
            name="predictions",
        )

        # === Functional Model ===
        inputs = {
            "spectrogram": keras.Input((None, backbone.spectrogram_shape[1]), name="spectrogram"),
            "mask": keras.Input((None,), dtype="bool", name="mask"),
        }
        spectrogram, mask = inputs["spectrogram"], inputs["mask"]
        if mixup is not None:
            spectrogram, mask = mixup(spectrogram, mask)
        if spec_augment is not None:
            spectrogram = spec_augment(spectrogram, mask=mask)
        x = backbone(spectrogram, mask=mask)
        x = self.output_dropout(self.pooler(x, mask))
        # `compile`, which the base class calls, asks for it.
        self.multi_label = multi_label
        super().__init__(inputs=inputs, outputs=self.output_dense(x), **kwargs)

        # === Config ===
        self.labels = labels
        self.num_classes = labels.num_classes
        self.class_names = labels.names
        self.pooling = pooling
        self.activation = activation
        self.dropout = dropout

    def compile(self, optimizer="auto", loss="auto", *, metrics="auto", **kwargs):
        """Configure training, with defaults for what is left out.

        Args:
            optimizer: `"auto"`: Adam with a learning rate of 1e-4.
            loss: `"auto"`: cross-entropy, of single labels or, with `multi_label`, of each class.
            metrics: `"auto"`: accuracy, or with `multi_label` the mean average precision (area
                under the precision-recall curve) over the classes.
            **kwargs: see `keras.Model.compile`.
        """
        if optimizer == "auto":
            optimizer = keras.optimizers.Adam(1e-4)
        logits = self.output_dense.activation is keras.activations.linear
        if loss == "auto" and self.multi_label:
            loss = keras.losses.BinaryCrossentropy(from_logits=logits)
        elif loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        if metrics == "auto" and self.multi_label:
            metrics = [
                keras.metrics.AUC(
                    curve="PR",
                    multi_label=True,
                    num_labels=self.output_dense.units,
                    from_logits=logits,
                    name="mean_average_precision",
                )
            ]
        elif metrics == "auto":
            metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config):
        # Keras leaves it out where `compile` is another one than its own.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        def loss(labels, weights):
            return super(AudioClassifier, self).compute_loss(
                x=x, y=labels, y_pred=y_pred, sample_weight=weights, training=training
            )

        if self.mixup is None or not training:
            return loss(y, sample_weight)
        return self.mixup.mixed_loss(loss, y, sample_weight)

    def decode_predictions(self, scores, top=5):
        """Names and scores of the best classes.

        Args:
            scores: `(clips, num_classes)`, what `predict` returns.
            top: how many.

        Returns:
            For each clip a list of pairs `(name, score)`, best first.
        """
        return self.labels.decode(scores, top)

    def encode_labels(self, y):
        return self.labels.encode(y)

    def save_adapter(self, path, overwrite=False):
        """Save what was trained beside an encoder that stays as it was: a small file.

        That is the new layers and the low-rank updates (LoRA). Sizes and a few weights of the
        encoder are kept to know it by.

        Args:
            path: a `.npz` file to write.
            overwrite: bool. Replace an existing file.

        Raises:
            ValueError: all weights of the encoder are trained, or another ending.
            FileExistsError: the file exists.
        """
        save_adapter(self, path, overwrite)

    def load_adapter(self, path):
        """Load what `save_adapter` wrote, on any backend; LoRA is enabled if it is not yet.

        Raises:
            ValueError: a file of another kind, or of another encoder or classifier.
        """
        load_adapter(self, path)

    def save_task_weights(self, filepath):
        keras.saving.save_weights(self, filepath, objects_to_skip=self._not_the_task_s())

    def load_task_weights(self, filepath):
        keras.saving.load_weights(self, filepath, objects_to_skip=self._not_the_task_s())

    def _not_the_task_s(self):
        """What task weights leave out: the encoder, and the state of the optimizer."""
        optimizers = [] if self.optimizer is None else [self.optimizer]
        return [*self.backbone._flatten_layers(), *optimizers]

    @classmethod
    def from_preset(cls, preset, load_weights=True, adapter=None, **kwargs):
        """Load a classifier from a preset of a classifier or of an encoder.

        Args:
            preset: a name from `cls.presets`, a local directory, or a hub handle.
            load_weights: bool. False gives the architecture with random weights.
            adapter: a file that `save_adapter` wrote, from which the classes come then.
            **kwargs: arguments of the constructor. `num_classes` or `class_names` gives a new
                dense layer; without them the preset must be a classifier's.

        Raises:
            ValueError: an unknown preset, or one that has no weights while they are asked for;
                neither classes in the preset nor in the arguments.
        """
        preset = str(preset)
        check_preset(preset, load_weights)
        if adapter is not None:
            kwargs = {**adapter_options(adapter), **kwargs}
        if kwargs.get("class_names") is not None:
            kwargs.setdefault("num_classes", len(kwargs["class_names"]))
        elif "num_classes" in kwargs:
            # Not those of the classifier that the preset holds.
            kwargs["class_names"] = None
        classifier = super().from_preset(preset, load_weights=load_weights, **kwargs)
        if adapter is not None:
            classifier.load_adapter(adapter)
        return classifier

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "num_classes": self.num_classes,
                "class_names": None if self.class_names is None else list(self.class_names),
                "multi_label": self.multi_label,
                "pooling": self.pooling,
                "activation": self.activation,
                "dropout": self.dropout,
            }
        )
        for name in ("spec_augment", "mixup"):
            layer = getattr(self, name)
            config[name] = None if layer is None else keras.layers.serialize(layer)
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("spec_augment", "mixup"):
            if isinstance(config.get(name), dict):
                config[name] = keras.layers.deserialize(config[name])
        return super().from_config(config)


def _class_for(backbone):
    """The classifier class of an encoder."""
    for cls in AudioClassifier.__subclasses__():
        if isinstance(backbone, cls.backbone_cls):
            return cls
    raise ValueError(
        "`backbone` must be an AxLSTMEncoder or SSASTEncoder. To load one by name use "
        f"`AudioClassifier.from_preset`. Received: {backbone!r}"
    )
