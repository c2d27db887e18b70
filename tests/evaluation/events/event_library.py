"""sed_eval, or a skip that says what is missing."""

import pytest

from keras_axlstm.evaluation.events.event_scores import require_sed_eval

try:
    require_sed_eval()
    reason = ""
except ImportError as error:
    reason = f"NOT TESTED, scores of events: {error}"

needs_sed_eval = pytest.mark.skipif(bool(reason), reason=reason)
