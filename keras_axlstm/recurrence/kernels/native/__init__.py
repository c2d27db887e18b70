"""CPU kernels in C++, compiled on the user's machine for the user's processor.

The same code serves PyTorch (through ctypes) and the foreign function interface of XLA, in JAX and
inside TensorFlow. Without a C++ compiler there are none, and `keras.ops` computes the same.
"""
