"""Event tasks: labels for frames, events from the predictions of frames, and their scores."""

from keras_axlstm.evaluation.events.event_probe_task import EventProbeTask as EventProbeTask
from keras_axlstm.evaluation.events.event_scores import event_scores as event_scores
from keras_axlstm.evaluation.events.event_split import EventSplit as EventSplit
from keras_axlstm.evaluation.events.frame_labels import frame_labels as frame_labels
from keras_axlstm.evaluation.events.postprocessing import Postprocessing as Postprocessing
