"""The probe of the HEAR protocol: a small network on frozen embeddings."""

from keras_axlstm.evaluation.probe.grid_point import GridPoint as GridPoint
from keras_axlstm.evaluation.probe.probe_result import FoldResult as FoldResult
from keras_axlstm.evaluation.probe.probe_result import ProbeResult as ProbeResult
from keras_axlstm.evaluation.probe.probe_result import SeedResult as SeedResult
from keras_axlstm.evaluation.probe.probe_split import ProbeSplit as ProbeSplit
from keras_axlstm.evaluation.probe.probe_task import ProbeTask as ProbeTask
from keras_axlstm.evaluation.probe.protocol import PROTOCOLS as PROTOCOLS
from keras_axlstm.evaluation.probe.protocol import Protocol as Protocol
from keras_axlstm.evaluation.probe.run import run_probe as run_probe
