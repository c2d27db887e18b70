"""From an audio file to a log-mel spectrogram, in NumPy."""

from keras_axlstm.audio.audio_file_error import AudioFileError as AudioFileError
from keras_axlstm.audio.log_mel import log_mel_spectrogram as log_mel_spectrogram
from keras_axlstm.audio.normalize import normalize_log_mel as normalize_log_mel
from keras_axlstm.audio.read import check_audio_file as check_audio_file
from keras_axlstm.audio.read import read_audio as read_audio
from keras_axlstm.audio.resample import resample as resample
from keras_axlstm.audio.waveform import validate_waveform as validate_waveform
