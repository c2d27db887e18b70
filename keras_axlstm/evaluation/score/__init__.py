"""The overall score s(m) of a model, and the paper's Table 2."""

from keras_axlstm.evaluation.score.overall import paper_score as paper_score
from keras_axlstm.evaluation.score.overall import paper_weights as paper_weights
from keras_axlstm.evaluation.score.overall import score_half_width as score_half_width
from keras_axlstm.evaluation.score.overall import seeds_score as seeds_score
from keras_axlstm.evaluation.score.overall import table_scores as table_scores
from keras_axlstm.evaluation.score.overall import table_weights as table_weights
from keras_axlstm.evaluation.score.published_row import PublishedRow as PublishedRow
from keras_axlstm.evaluation.score.table2_rows import TASKS as TASKS
from keras_axlstm.evaluation.score.table2_rows import table2 as table2
