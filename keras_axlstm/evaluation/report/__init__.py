"""Results of an evaluation as files and tables."""

from keras_axlstm.evaluation.report.run_result import RunResult as RunResult
from keras_axlstm.evaluation.report.score_table import Row as Row
from keras_axlstm.evaluation.report.score_table import Score as Score
from keras_axlstm.evaluation.report.score_table import ScoreTable as ScoreTable
