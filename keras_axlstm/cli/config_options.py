"""Command-line options from the fields of a configuration class."""

import argparse
import dataclasses
import typing
from collections.abc import Sequence
from typing import Any

from keras_axlstm.training.options import Option, choices, value_type


def add_config_options(
    parser: argparse.ArgumentParser,
    config_class: type,
    positional: str,
    alternatives: Sequence[tuple[str, str]] = (),
) -> None:
    """Add an option for each field of a configuration, under the headings of their groups.

    Args:
        parser: of the command.
        config_class: a dataclass whose fields are made by `keras_axlstm.training.options.option`.
        positional: the field that is given without a name.
        alternatives: pairs of fields of which one at most may be given.
    """
    groups: dict[str, Any] = {}
    pairs: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):
        name = field.metadata["option"].group
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        group = groups[name]
        for pair in alternatives:
            if field.name == pair[0]:
                pairs |= dict.fromkeys(pair, group.add_mutually_exclusive_group())
        hint = typing.get_type_hints(config_class)[field.name]
        _add_option(pairs.get(field.name, group), field, hint, field.name == positional)


def given_options(arguments: argparse.Namespace, config_class: type) -> dict[str, Any]:
    """The values of the fields that were given, by name."""
    names = {field.name for field in dataclasses.fields(config_class)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def _add_option(group: Any, field: dataclasses.Field, hint: Any, is_positional: bool) -> None:
    details: Option = field.metadata["option"]
    kind = value_type(hint)
    text = details.help
    if field.default not in (None, dataclasses.MISSING) and kind is not bool:
        text += f" (default: {field.default})"
    # Not given is not the same as the default: it may come from a file.
    arguments: dict[str, Any] = {"help": text.replace("%", "%%"), "default": argparse.SUPPRESS}
    if is_positional:
        group.add_argument(field.name, nargs="?", metavar=details.metavar, **arguments)
        return
    if kind is bool:
        arguments["action"] = argparse.BooleanOptionalAction
    else:
        arguments["type"] = kind
        if allowed := choices(hint):
            arguments["choices"] = allowed
        else:
            arguments["metavar"] = details.metavar or ("N" if kind is int else "NUMBER")
        if isinstance(details.metavar, tuple):
            arguments["nargs"] = len(details.metavar)
    group.add_argument("--" + field.name.replace("_", "-"), **arguments)
