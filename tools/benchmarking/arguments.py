"""The command line."""

import argparse
from pathlib import Path

from benchmarking.cases import MODEL_MODES, MODES, OP_MODES, PEERS, SIZES, spectrogram_length
from benchmarking.environment import ROOT

DEFAULT_OUTPUT = ROOT / "tools" / "benchmarks"

DESCRIPTION = """\
Time the encoders and their recurrence: sizes x backends x dtypes x implementations x batches x
lengths. Every case runs in a process of its own, so that its peak memory and compile time are its
own. Writes a JSON file and a Markdown table, which is also printed."""

EPILOG = """\
modes:
  forward   the encoder on a batch, without gradient: jit of a stateless call in JAX, tf.function
            compiled by XLA in TensorFlow, as AudioEmbedder does, eager under no_grad in PyTorch
  train     one train_on_batch of MaskedSpectrogramModel with the pretraining optimizer
  op        keras_axlstm.ops.mlstm alone, at the heads of the sizes
  op-train  the same with the gradients of all its inputs

examples:
  python tools/benchmark.py --backends jax torch --sizes tiny --batch 1 8
  python tools/benchmark.py --models axlstm ssast --official ../axlstm-official
  python tools/benchmark.py --modes op op-train --forms parallel chunkwise --steps 251 501 2001
  python tools/benchmark.py --modes op-train --dtypes mixed_bfloat16 --batch 128 --peers

The exit code is 0 if every case was timed, 2 for wrong arguments, 3 if some cases failed (the table
says why), 130 after an interrupt, which keeps what is done: continue with --resume."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse and check the arguments; exits with a message if they are wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.official and not set(options.modes) & set(MODEL_MODES):
        parser.error("--official compares models: expected --modes forward or train")
    if options.peers is not None and not set(options.modes) & set(OP_MODES):
        parser.error("--peers compares the recurrence alone: expected --modes op or op-train")
    if options.compile and "torch" not in options.backends:
        parser.error("--compile is about PyTorch: expected torch among --backends")
    if set(options.modes) & set(MODEL_MODES):
        for steps in options.steps:
            try:
                spectrogram_length(steps)
            except ValueError as error:
                parser.error(f"--steps: {error}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    what = parser.add_argument_group("what is timed")
    _several(what, "--modes", MODES, ["forward", "train"], "what a run does, see below")
    _several(what, "--models", ("axlstm", "ssast"), ["axlstm"], "models of forward and train")
    _several(what, "--sizes", tuple(SIZES), ["tiny"], "sizes of the models; test is a toy")
    many = {"nargs": "+", "type": _positive_integer, "metavar": "N"}
    what.add_argument(
        "--batch", default=[1, 8], help="clips of a batch (default: 1 8)", dest="batches", **many
    )
    what.add_argument(
        "--steps",
        default=[251],
        help="tokens of a clip with the class token: 251 is 2 s, 501 is 4 s (default: 251)",
        **many,
    )

    how = parser.add_argument_group("how it is computed")
    backends = ("jax", "tensorflow", "torch")
    _several(how, "--backends", backends, list(backends), "Keras backends")
    dtypes = ("float32", "mixed_bfloat16")
    _several(how, "--dtypes", dtypes, ["float32"], "Keras dtype policies")
    implementations = ("auto", "ops", "fused")
    _several(how, "--implementations", implementations, ["auto"], "of the recurrence")
    forms = ("auto", "parallel", "chunkwise", "recurrent")
    _several(how, "--forms", forms, list(forms[1:]), "of the recurrence in op and op-train")
    how.add_argument(
        "--compile", action="store_true", help="time PyTorch under torch.compile as well"
    )

    rivals = parser.add_argument_group("what it is compared with, in turns with each of our cases")
    rivals.add_argument(
        "--official",
        type=Path,
        metavar="PATH",
        help="checkout of github.com/SarthakYadav/axlstm-official (needs torch and einops): times "
        "the authors' code, float32 on a CPU, float16 autocast on a GPU",
    )
    rivals.add_argument(
        "--peers",
        nargs="*",
        choices=PEERS,
        metavar="NAME",
        help="time the kernels of mlstm_kernels and scaled_dot_product_attention of PyTorch in op "
        f"and op-train, where installed; all of them without a name, or of {', '.join(PEERS)}",
    )

    effort = parser.add_argument_group("effort and output")
    effort.add_argument(
        "--repeats",
        type=_positive_integer,
        default=15,
        metavar="N",
        help="measurements of a case (default: 15)",
    )
    effort.add_argument(
        "--warm-up",
        type=_positive_integer,
        default=3,
        metavar="N",
        help="runs between the first call and the measurements (default: 3)",
    )
    effort.add_argument(
        "--max-seconds",
        type=_positive_number,
        default=120.0,
        metavar="S",
        help="stop measuring a case after S seconds and 3 measurements (default: 120)",
    )
    effort.add_argument(
        "--together",
        action="store_true",
        help="start a case and all that it is compared with at the same time, where cores and "
        "memory suffice: less waiting, longer first calls",
    )
    effort.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_OUTPUT,
        metavar="DIR",
        help="folder for the files <date>-<device>.json and .md, numbered where they exist "
        "(default: tools/benchmarks)",
    )
    effort.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="result file (JSON) whose cases are taken over instead of timed again, if commit, "
        "versions and device are the same; failed ones are tried again",
    )
    return parser


def _several(
    group: argparse._ArgumentGroup,
    name: str,
    choices: tuple[str, ...],
    default: list[str],
    text: str,
) -> None:
    """An option that takes one or more of the choices."""
    shown = f"{text} (default: {' '.join(default)})"
    group.add_argument(name, nargs="+", choices=choices, default=default, help=shown)


def _positive_integer(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, received {text!r}")
    return int(text)


def _positive_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number, received {text!r}")
    return value
