"""Models as one graph, from the waveform on, for other runtimes."""

from keras_axlstm.export.export_model import export_model as export_model
from keras_axlstm.export.waveform_model import WaveformModel as WaveformModel
