"""Herdbook: trajectories with names from movies of animal groups."""

__version__ = "0.1.0"
