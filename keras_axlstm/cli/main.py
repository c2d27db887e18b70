"""Entry point of the command `keras-axlstm`."""

import argparse
import sys
from collections.abc import Sequence

from keras_axlstm.cli import (
    classify,
    convert,
    doctor,
    embed,
    evaluate,
    export,
    finetune,
    prepare,
    prepare_tasks,
    presets,
    pretrain,
)

COMMANDS = (
    prepare,
    pretrain,
    finetune,
    classify,
    embed,
    evaluate,
    prepare_tasks,
    convert,
    export,
    presets,
    doctor,
)

EXIT_CODES = """\
exit codes:
  0    done
  1    error: nothing was written (doctor: a kernel failed its check)
  2    wrong arguments
  3    done, but some files could not be read and were skipped (they are listed)
  130  interrupted (Ctrl-C): nothing was written
In both cases of 1 and 130 pretrain keeps its checkpoints, for --resume, prepare its finished
shards, prepare-tasks its finished tasks and clips, embed --stream the frames so far.

KERAS_BACKEND=jax|tensorflow|torch chooses the backend.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands. Each sets `run`, a function of the parsed arguments."""
    parser = argparse.ArgumentParser(
        prog="keras-axlstm",
        description="Audio embeddings, classifiers and self-supervised pretraining with AxLSTM.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command_parser = command.add_parser(commands)
        command_parser.add_argument(
            "--debug", action="store_true", help="show the traceback of an error"
        )
        command_parser.set_defaults(run=command.run, usage_error=command_parser.error)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: the arguments, without the program's name. Defaults to those of the process.

    Raises:
        SystemExit: wrong arguments (code 2), or `--help` (code 0).
    """
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("keras-axlstm: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if arguments.debug:
            raise
        print(f"keras-axlstm: error: {_message(error)}", file=sys.stderr)
        return 1


def _message(error: Exception) -> str:
    """In one line, but for errors that list their `problems`."""
    if hasattr(error, "problems"):
        return str(error)
    message = " ".join(str(error).split())
    if isinstance(error, (ValueError, OSError, ImportError)) and message:
        return message
    return f"{type(error).__name__}: {message or 'no message'} (--debug shows where)"
