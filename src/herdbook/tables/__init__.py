"""What is told of finished trajectories: tracks, motion, events, tables, and the score against a truth."""
