"""Models to be measured: presets, other people's models and baselines, under one interface."""

from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel as EvaluationModel
from keras_axlstm.evaluation.models.open_model import open_model as open_model
