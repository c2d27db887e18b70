"""The command `keras-axlstm`: parse arguments, call the library.

Modules here import Keras and the library inside functions only, so that help and wrong arguments
answer at once, and the backend can be chosen before Keras is imported.
"""
