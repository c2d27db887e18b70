"""Training data from folders of audio."""

from keras_axlstm.data.find_audio_files import find_audio_files as find_audio_files
from keras_axlstm.data.pipeline import random_crops as random_crops
