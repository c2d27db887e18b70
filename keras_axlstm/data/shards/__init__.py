"""Files of prepared clips: a layout each for the frames, and the index beside them.

A layout is a module with `check_available`, a `SUFFIX`, a `Writer` and a `Reader`.
"""

from types import ModuleType

from keras_axlstm.data.shards import array_record, flat
from keras_axlstm.data.shards.shard_index import ShardIndex as ShardIndex

LAYOUTS: dict[str, ModuleType] = {"flat": flat, "array_record": array_record}
