"""CPU kernels in C++, compiled on the user's machine for the user's processor.

The same code serves PyTorch (through ctypes), JAX (XLA's foreign function interface) and
TensorFlow (a custom call of its XLA compiler). Without a C++ compiler there are none, and the
`keras.ops` implementation runs instead.
"""
