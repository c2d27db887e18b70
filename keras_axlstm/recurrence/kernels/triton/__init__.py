"""Triton kernels of the mLSTM recurrence for the PyTorch and JAX backends.

`availability.unavailable` and `jax_availability.unavailable` say whether they can be used, without
importing Triton where it is missing; `op.mlstm_triton` is the op for PyTorch, `jax_op` its two
passes for JAX.
"""
