"""Regions, ellipses, body axes and intervals: arrays in, arrays out, independent of movies and experiments."""
