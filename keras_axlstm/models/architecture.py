"""What two encoders must share for the weights of one to serve the other."""

import json
from typing import Any

# None of these changes what a weight means.
_FREE = ("name", "dtype", "trainable")


def architecture(encoder: Any) -> dict[str, Any]:
    """Class and arguments of an encoder, in the types of JSON, to compare with another's."""
    config = {name: value for name, value in encoder.get_config().items() if name not in _FREE}
    # Tuples are lists in a file.
    return json.loads(json.dumps({"class": type(encoder).__name__, **config}))
