"""Models as one graph, from the waveform on, for other runtimes."""

from typing import TYPE_CHECKING

from keras_axlstm.late_imports import late_imports

if TYPE_CHECKING:
    from keras_axlstm.export.run import export_model as export_model
    from keras_axlstm.export.waveform_model import WaveformModel as WaveformModel

# Imported when they are first asked for: the command line reads the formats from here, and must not
# load Keras for `--help`.
__getattr__ = late_imports(
    __name__,
    {
        "WaveformModel": "keras_axlstm.export.waveform_model",
        "export_model": "keras_axlstm.export.run",
    },
)
