"""Any preset as a module of HEAR 2021, for `hear-validator`, `heareval` and what speaks their API.

The name of this package is the module's name: `heareval keras_axlstm.hear --model DIR`.
"""

from keras_axlstm.hear.api import get_scene_embeddings as get_scene_embeddings
from keras_axlstm.hear.api import get_timestamp_embeddings as get_timestamp_embeddings
from keras_axlstm.hear.api import load_model as load_model
