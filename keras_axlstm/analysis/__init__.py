"""What a model does along a clip, as numbers; `keras_axlstm.plots` draws them."""

from keras_axlstm.analysis.block_memory import BlockMemory as BlockMemory
from keras_axlstm.analysis.block_memory import block_memory as block_memory
from keras_axlstm.analysis.class_timeline import ClassTimeline as ClassTimeline
from keras_axlstm.analysis.class_timeline import class_timeline as class_timeline
