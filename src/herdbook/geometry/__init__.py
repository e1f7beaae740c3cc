"""Regions, ellipses, body axes and intervals: arrays in, arrays out, nothing of movies or experiments."""
