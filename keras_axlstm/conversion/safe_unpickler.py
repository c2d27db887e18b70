"""Reads a pickle as data: nothing in it is imported, called or executed.

A pickle is a program for a small stack machine. `SafeUnpickler` runs the instructions that put
plain values together and refuses every other one by its name. An instruction that names a class or
function only pushes that name, and only if it is in one of the tables it was given; no class or
function of Python's ever lies on the stack, so there is nothing a crafted pickle could call.
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from keras_axlstm.conversion.errors import CheckpointError

_VALUES = frozenset(
    "BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_CONTAINERS: dict[str, type] = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_ORDERED_DICT = "collections.OrderedDict"
_SYMPTOMS_OF_DAMAGE = (
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


class PickledRecord(dict):
    """The attributes of a pickled object as a dict; `class_name` says what it was."""

    def __init__(self, class_name: str) -> None:
        super().__init__()
        self.class_name = class_name


class _Global(NamedTuple):
    """A dotted name from the pickle. It stands for nothing and cannot be called."""

    name: str


class SafeUnpickler:
    """Turns the bytes of one pickle (protocol 2 to 5) into plain Python values.

    Args:
        functions: the functions a pickle may apply, by dotted name, with our stand-ins for them.
        records: dotted names of classes whose objects become a `PickledRecord`.
        names: dotted names that may occur as mere arguments.
        load_persistent: called with a persistent id (names in it are strings), returns the value.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        records: Collection[str],
        names: Collection[str],
        load_persistent: Callable[[object], Any],
    ) -> None:
        self._functions = {_ORDERED_DICT: _empty_ordered_dict, **functions}
        self._records = records
        self._allowed = {*self._functions, *records, *names}
        self._load_persistent = load_persistent

    def load(self, data: bytes) -> Any:
        """The value pickled in `data`.

        Raises:
            CheckpointError: an instruction or name that is not allowed, or a malformed pickle.
        """
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        position = 0
        try:
            for opcode, argument, offset in pickletools.genops(data):
                position = offset or 0
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._step(opcode.name, argument)
        except CheckpointError:
            raise
        except _SYMPTOMS_OF_DAMAGE as error:
            raise CheckpointError(
                f"its pickle is damaged or was not written by torch.save (at byte {position}: "
                f"{type(error).__name__}: {error})."
            ) from error
        raise CheckpointError("its pickle is cut off before the end.")

    def _step(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        if opcode in _VALUES:
            stack.append(argument)
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode])
        elif opcode in _CONTAINERS:
            stack.append(_CONTAINERS[opcode]())
        elif opcode in _TUPLES:
            items = [stack.pop() for _ in range(_TUPLES[opcode])]
            stack.append(tuple(reversed(items)))
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif opcode == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif opcode == "MARK":
            self._outer.append(stack)
            self._stack = []
        elif opcode == "TUPLE":
            items = self._pop_mark()
            self._stack.append(tuple(items))
        elif opcode == "APPEND":
            self._extend([stack.pop()])
        elif opcode == "APPENDS":
            self._extend(self._pop_mark())
        elif opcode == "SETITEM":
            value, key = stack.pop(), stack.pop()
            self._set_items([key, value])
        elif opcode == "SETITEMS":
            self._set_items(self._pop_mark())
        elif opcode == "GLOBAL":
            self._push_global(*argument.split(" ", 1))
        elif opcode == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            self._push_global(module, name)
        elif opcode == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(self._apply(function, arguments))
        elif opcode == "NEWOBJ":
            arguments, record = stack.pop(), stack.pop()
            stack.append(self._new_record(record, arguments))
        elif opcode == "BUILD":
            self._build(stack.pop())
        elif opcode == "BINPERSID":
            stack.append(self._load_persistent(_without_globals(stack.pop())))
        elif opcode not in ("PROTO", "FRAME"):
            given = "" if argument is None else f" ({argument!r})"
            raise CheckpointError(
                f"refused: it holds the pickle instruction {opcode}{given}, which torch.save does "
                "not write. Nothing in the file was run."
            )

    def _pop_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _top(self, kind: type) -> Any:
        top = self._stack[-1]
        if not isinstance(top, kind):
            raise TypeError(f"expected a {kind.__name__}, found a {type(top).__name__}")
        return top

    def _extend(self, items: list[Any]) -> None:
        self._top(list).extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing deeply nested tuples overflows the interpreter's own stack.
            if not isinstance(key, str | int):
                raise TypeError(f"a key of a dict is a {type(key).__name__}")
            target[key] = value

    def _push_global(self, module: object, name: object) -> None:
        dotted = f"{module}.{name}"
        if dotted not in self._allowed:
            raise CheckpointError(
                f"refused: it names {dotted!r}, which is neither a tensor nor a plain value. "
                "Nothing in the file was run. If you trust the file, save its weights alone where "
                "PyTorch is installed: checkpoint = torch.load(path, weights_only=False); "
                "torch.save(checkpoint['model'], 'weights.pth')."
            )
        self._stack.append(_Global(dotted))

    def _apply(self, function: object, arguments: Any) -> Any:
        if not isinstance(function, _Global) or function.name not in self._functions:
            raise CheckpointError(f"refused: it calls {_describe(function)} as a function.")
        return self._functions[function.name](*arguments)

    def _new_record(self, record: object, arguments: Any) -> PickledRecord:
        if not isinstance(record, _Global) or record.name not in self._records or arguments:
            raise CheckpointError(
                f"refused: it makes an object of {_describe(record)} from {len(arguments)} "
                "arguments."
            )
        return PickledRecord(record.name)

    def _build(self, state: Any) -> None:
        target = self._stack[-1]
        if isinstance(target, PickledRecord) and isinstance(state, dict):
            target.update(state)
        elif not isinstance(target, OrderedDict):
            # What torch hangs on a state dict (`_metadata`) is dropped; anything else is foul play.
            raise CheckpointError(f"refused: it changes the state of {_describe(target)}.")


def _empty_ordered_dict() -> OrderedDict[Any, Any]:
    return OrderedDict()


def _without_globals(persistent_id: object) -> object:
    if not isinstance(persistent_id, tuple):
        return persistent_id
    return tuple(part.name if isinstance(part, _Global) else part for part in persistent_id)


def _describe(value: object) -> str:
    return repr(value.name) if isinstance(value, _Global) else f"a {type(value).__name__}"
