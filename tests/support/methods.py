"""Every way to compute the recurrence, as options of `keras_axlstm.ops.mlstm`."""

import pytest


def _option(form: str, implementation: str):
    return pytest.param(
        {"form": form, "implementation": implementation}, id=f"{form}-{implementation}"
    )


BLOCKED_METHODS = [
    _option(form, implementation)
    for form in ("parallel", "chunkwise")
    for implementation in ("ops", "fused")
]
METHODS = [_option("reference", "ops"), _option("recurrent", "ops"), *BLOCKED_METHODS]
