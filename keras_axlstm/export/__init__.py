"""Models as one graph, from the waveform on, for other runtimes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_axlstm.export.run import export_model as export_model
    from keras_axlstm.export.waveform_model import WaveformModel as WaveformModel

# Imported when they are first asked for: the command line reads the formats from here, and must not
# load Keras for `--help`.
_IMPORTED_LATE = {
    "WaveformModel": "keras_axlstm.export.waveform_model",
    "export_model": "keras_axlstm.export.run",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_LATE[name]), name)
