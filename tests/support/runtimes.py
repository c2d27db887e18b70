"""What runs exported files, each in its own runtime."""

import numpy as np
import pytest

NEEDED = {
    "saved_model": "tensorflow",
    "onnx": "onnxruntime",
    "litert": "ai_edge_litert",
    "openvino": "openvino",
    "torch": "torch",
}


def run_file(path, format: str, waveform: np.ndarray) -> np.ndarray:
    """The output of an exported file; skips where its runtime is not installed."""
    pytest.importorskip(NEEDED[format], reason=f"the runtime {NEEDED[format]} is not installed")
    return {
        "saved_model": _run_saved_model,
        "onnx": _run_onnx,
        "litert": _run_litert,
        "openvino": _run_openvino,
        "torch": _run_torch,
    }[format](str(path), waveform)


def _run_saved_model(path, waveform):
    import tensorflow as tf

    model = tf.saved_model.load(path)
    return model.serve(waveform).numpy()


def _run_onnx(path, waveform):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session.run(None, {"waveform": waveform})[0]


def _run_litert(path, waveform):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, waveform.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, waveform)
    interpreter.invoke()
    # A copy: the array would keep the interpreter's memory.
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy()


def _run_openvino(path, waveform):
    import openvino

    model = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return model(waveform)[0]


def _run_torch(path, waveform):
    import torch

    program = torch.export.load(path).module(check_guards=False)
    return program(torch.from_numpy(waveform)).detach().numpy()
