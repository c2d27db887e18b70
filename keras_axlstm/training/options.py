"""Fields of a configuration: what they mean, which values they take."""

import dataclasses
import math
import os
import types
import typing
from collections.abc import Mapping
from typing import Any

_NAMES = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}


@dataclasses.dataclass(frozen=True)
class Option:
    """What a field says beside its type and default.

    Args:
        group: heading under which the command line lists it.
        help: what it is.
        at_least: lowest value of a number, or of each number of a tuple.
        above: a number must be greater.
        below: a number must be less.
        metavar: stands for the value in the help of the command line.
    """

    group: str
    help: str
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    metavar: str | tuple[str, ...] | None = None


def option(group: str, help: str, default: Any = dataclasses.MISSING, **details: Any) -> Any:
    """A dataclass field with an `Option`; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"option": Option(group, help, **details)})


def check_names(config_class: type, values: Mapping[str, Any]) -> None:
    """Refuse values that a configuration could not be made of.

    Raises:
        ValueError: an unknown field, or a field that has no default is missing.
    """
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    unknown = [name for name in values if name not in fields]
    if unknown:
        raise ValueError(
            f"Unknown fields of {config_class.__name__}: {', '.join(unknown)}. "
            f"Known: {', '.join(fields)}"
        )
    missing = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and name not in values
    ]
    if missing:
        raise ValueError(f"{config_class.__name__} needs values of: {', '.join(missing)}.")


def check_fields(config: Any) -> None:
    """Put every field of a frozen configuration in its declared type; paths become strings.

    Raises:
        ValueError: a value of another type, or out of range; names the field.
    """
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        value = check_value(field.name, hints[field.name], field.metadata["option"], value)
        object.__setattr__(config, field.name, value)


def choices(hint: Any) -> tuple[Any, ...]:
    """The values of a `Literal` or `Literal | None`; empty for other types."""
    (kind,) = [kind for kind in _alternatives(hint) if kind is not types.NoneType]
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def value_type(hint: Any) -> type:
    """`int`, `float`, `bool` or `str`: the type of the value, or of each of a tuple."""
    (kind,) = [kind for kind in _alternatives(hint) if kind is not types.NoneType]
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return type(inner[0])
    return inner[0] if inner else kind


def check_value(name: str, hint: Any, details: Option, value: Any) -> Any:
    """The value in its declared type: a whole number as a float, a list as a tuple.

    Raises:
        ValueError: another type, or out of range; names the field.
    """
    if value is None and types.NoneType in _alternatives(hint):
        return None
    allowed = choices(hint)
    if allowed:
        # 2.0 and True equal integers, and are none.
        if not any(value == choice and type(value) is type(choice) for choice in allowed):
            listed = ", ".join(map(repr, allowed))
            raise ValueError(f"`{name}` must be one of {listed}. Received: {value!r}")
        return value
    kind = value_type(hint)
    if length := _tuple_length(hint):
        if not isinstance(value, (list, tuple)) or len(value) != length:
            raise ValueError(f"`{name}` must be {length} integers. Received: {value!r}")
        return tuple(_check_single(name, kind, details, each, value) for each in value)
    return _check_single(name, kind, details, value, value)


def _check_single(name: str, kind: type, details: Option, value: Any, received: Any) -> Any:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"`{name}` must be {_NAMES[kind]}. Received: {received!r}")
    value = kind(value)
    limits = [
        (details.at_least, "at least", lambda limit: value >= limit),
        (details.above, "greater than", lambda limit: value > limit),
        (details.below, "less than", lambda limit: value < limit),
    ]
    for limit, words, holds in limits:
        # NaN passes no comparison.
        if limit is not None and not (holds(limit) and math.isfinite(value)):
            raise ValueError(f"`{name}` must be finite and {words} {limit}. Received: {received!r}")
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _tuple_length(hint: Any) -> int:
    (kind,) = [kind for kind in _alternatives(hint) if kind is not types.NoneType]
    return len(typing.get_args(kind)) if typing.get_origin(kind) is tuple else 0
