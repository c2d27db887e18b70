"""Measuring audio representations on tasks in the format of HEAR 2021."""
