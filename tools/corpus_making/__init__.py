"""A corpus for pretraining, from speech and music synthesizers and from code."""
