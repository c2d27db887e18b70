"""Pictures, drawn with matplotlib (extra `plots`): one function a file."""

from keras_axlstm.plots.block_memory import plot_block_memory as plot_block_memory
from keras_axlstm.plots.class_timeline import plot_class_timeline as plot_class_timeline
from keras_axlstm.plots.confusion_matrix import plot_confusion_matrix as plot_confusion_matrix
from keras_axlstm.plots.embedding_map import plot_embedding_map as plot_embedding_map
from keras_axlstm.plots.reconstruction import plot_reconstruction as plot_reconstruction
from keras_axlstm.plots.save import check_matplotlib as check_matplotlib
from keras_axlstm.plots.save import save_plot as save_plot
from keras_axlstm.plots.score_table import plot_score_table as plot_score_table
from keras_axlstm.plots.training_curves import plot_training_curves as plot_training_curves
