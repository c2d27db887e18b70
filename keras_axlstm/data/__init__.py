"""Training data from audio, manifests, prepared shards and tars of spectrograms."""

from keras_axlstm.data.find_audio_files import find_audio_files as find_audio_files
from keras_axlstm.data.pipeline import random_crops as random_crops
from keras_axlstm.data.prepare import prepare as prepare
from keras_axlstm.data.sources import clip_source as clip_source
from keras_axlstm.data.tensorflow_crops import tf_random_crops as tf_random_crops
