"""The tasks of tools/make_tasks.py: one module for each family, and what they share."""
