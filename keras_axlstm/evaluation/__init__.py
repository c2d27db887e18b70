"""Measure representations: metrics, probe, overall score."""
