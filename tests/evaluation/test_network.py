"""The probe's step against PyTorch's own layers, autograd and Adam."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_axlstm.evaluation.probe import GridPoint
from keras_axlstm.evaluation.probe.adam import corrections
from keras_axlstm.evaluation.probe.initial_state import initial_state
from keras_axlstm.evaluation.probe.network import predict, train_step
from tests.evaluation.probe_cases import CLASSES, WIDTH, make_split
from tests.support.compiled import compiled
from tests.support.tolerances import SAME_FORMULA, relative_error

HIDDEN, MODELS, STEPS = 16, 2, 3
RATES, DROPOUT = (1e-2, 3e-3), (0.1, 0.5)


class TorchProbe:
    """One model, made of `torch.nn` modules. Dropout is a given mask."""

    def __init__(self, torch, state, model, layers):
        self.torch, self.layers = torch, []
        weights = state["weights"]
        for i in range(layers):
            kernel = weights[f"kernel_{i}"][model]
            linear = torch.nn.Linear(*kernel.shape)
            linear.weight.data = torch.tensor(kernel.T)
            linear.bias.data = torch.tensor(-state["statistics"][f"mean_{i}"][model, 0])
            self.layers.append((linear, torch.nn.BatchNorm1d(HIDDEN)))
        self.output = torch.nn.Linear(HIDDEN, CLASSES)
        self.output.weight.data = torch.tensor(weights["output"][model].T)
        self.output.bias.data = torch.tensor(weights["bias"][model, 0])
        # The bias has no gradient but rounding, which Adam would blow up to whole steps.
        modules = [norm for _, norm in self.layers] + [self.output]
        parameters = [p for module in modules for p in module.parameters()]
        parameters += [linear.weight for linear, _ in self.layers]
        self.optimizer = torch.optim.Adam(parameters, lr=RATES[model])

    def logits(self, x, gains):
        for (linear, norm), gain in zip(self.layers, gains, strict=True):
            x = self.torch.relu(norm(linear(x)) * gain)
        return self.output(x)

    def step(self, x, labels, gains, multilabel):
        functional = self.torch.nn.functional
        logits = self.logits(x, gains)
        if multilabel:
            loss = functional.binary_cross_entropy_with_logits(logits, labels)
        else:
            loss = functional.cross_entropy(logits, labels.argmax(1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def predict(self, x, multilabel):
        for _, norm in self.layers:
            norm.eval()
        logits = self.logits(x, [1.0] * len(self.layers))
        return (logits.sigmoid() if multilabel else logits.softmax(1)).detach().numpy()


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_steps_are_those_of_torch(layers, multilabel):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    split = make_split(30, 0, multilabel)
    labels = split.targets.astype(np.float32)
    point = GridPoint(1e-3, 0.1, layers)
    states = [initial_state(point, WIDTH, HIDDEN, CLASSES, rng) for _ in range(MODELS)]
    state = keras.tree.map_structure(lambda *leaves: np.concatenate(leaves), *states)
    expected = [TorchProbe(torch, state, model, layers) for model in range(MODELS)]
    state = keras.tree.map_structure(ops.convert_to_tensor, state)
    dropout = np.reshape(DROPOUT, (-1, 1, 1)).astype(np.float32)
    step_of = compiled(functools.partial(train_step, multilabel=multilabel))
    for step in range(1, STEPS + 1):
        batch = np.stack([rng.permutation(30)[:20] for _ in range(MODELS)])
        kept = [rng.random((MODELS, 20, HIDDEN)) >= dropout for _ in range(layers)]
        first, second = corrections(step)
        state = step_of(
            state,
            ops.convert_to_tensor(split.embeddings),
            ops.convert_to_tensor(labels),
            ops.convert_to_tensor(batch.astype(np.int32)),
            [ops.convert_to_tensor(mask) for mask in kept],
            ops.convert_to_tensor(dropout),
            ops.convert_to_tensor(np.reshape(RATES, (-1, 1, 1)).astype(np.float32) / first),
            ops.convert_to_tensor(np.float32(second)),
        )
        for model, probe in enumerate(expected):
            x, y = (torch.tensor(array[batch[model]]) for array in (split.embeddings, labels))
            gains = [torch.tensor(mask[model] / (1 - dropout[model])) for mask in kept]
            probe.step(x, y, gains, multilabel)
    actual = predict(
        state["weights"],
        state["statistics"],
        ops.convert_to_tensor(split.embeddings),
        multilabel=multilabel,
    )
    for model, probe in enumerate(expected):
        predicted = probe.predict(torch.tensor(split.embeddings), multilabel)
        error = relative_error(ops.convert_to_numpy(actual)[model], predicted)
        assert error < 10 * SAME_FORMULA


@pytest.mark.parametrize("initialization", ["xavier_normal", "xavier_uniform"])
def test_initial_kernels_have_the_deviations_of_xavier(initialization):
    point = GridPoint(1e-3, 0.1, 2, initialization)
    state = initial_state(point, 200, 300, 50, np.random.default_rng(0))
    weights, statistics = state["weights"], state["statistics"]
    for name, gain in (("kernel_0", 1.0), ("kernel_1", 2**0.5), ("output", 2**0.5)):
        inputs, outputs = weights[name].shape[1:]
        deviation = gain * (2 / (inputs + outputs)) ** 0.5
        assert weights[name].std() == pytest.approx(deviation, rel=0.03)
        if initialization == "xavier_uniform":
            assert abs(weights[name]).max() == pytest.approx(3**0.5 * deviation, rel=1e-2)
    assert abs(weights["bias"]).max() <= 300**-0.5
    assert 0.8 * 200**-0.5 < abs(statistics["mean_0"]).max() <= 200**-0.5
