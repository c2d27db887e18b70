"""What a run does beside training: one callback a file."""
