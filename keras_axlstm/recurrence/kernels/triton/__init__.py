"""Triton kernels of the mLSTM recurrence for the PyTorch backend.

`availability.unavailable` says whether they can be used, without importing Triton where it is
missing; `op.mlstm_triton` is the op.
"""
