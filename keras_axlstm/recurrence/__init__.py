"""The mLSTM recurrence: one op, a plain reference and three forms of the same numbers."""
