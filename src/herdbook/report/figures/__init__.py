"""Pictures of the report: arrays in, Matplotlib Figure out."""
