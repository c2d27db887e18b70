"""Where clips come from: a class for each kind, and `clip_source`, which finds the right one."""

from keras_axlstm.data.sources.audio_files import AudioFiles as AudioFiles
from keras_axlstm.data.sources.clip_source import ClipSource as ClipSource
from keras_axlstm.data.sources.log_mel_tars import LogMelTars as LogMelTars
from keras_axlstm.data.sources.open_source import clip_source as clip_source
from keras_axlstm.data.sources.prepared_shards import PreparedShards as PreparedShards
