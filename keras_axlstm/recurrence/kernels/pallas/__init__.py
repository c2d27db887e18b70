"""Pallas kernels of the mLSTM recurrence for JAX on TPUs: the parallel form.

`op.takes` says which calls they compute; `op.forward` and `op.backward` are the kernels.
"""
