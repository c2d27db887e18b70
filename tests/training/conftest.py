"""What the tests of training share."""

import keras
import pytest


@pytest.fixture(scope="package", autouse=True)
def compiled_once(tmp_path_factory):
    """Many runs of one small model: JAX compiles its training step once for all of them."""
    if keras.config.backend() != "jax":
        yield
        return
    import jax

    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    yield
    jax.config.update("jax_compilation_cache_dir", before)
