"""`python -m keras_axlstm` is the command `keras-axlstm`."""

import sys

from keras_axlstm.cli.main import main

sys.exit(main())
