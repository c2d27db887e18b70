"""Fine-tuning a classifier on labelled files: data, splits, the run and its report."""
