"""Training on several devices and in several processes, with what each backend has for it.

With `recurrence/kernels/` the only place of the package that imports a backend.
"""

from keras_axlstm.distribution.distribution import Distribution as Distribution
from keras_axlstm.distribution.new_distribution import new_distribution as new_distribution
