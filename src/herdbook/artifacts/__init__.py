"""Files that stages pass on: one module per stage, named like it, with a dataclass for the file that the stage writes.

A file holds columns in HDF5 and its origin: versions, settings, seed, and the fingerprints of what it was made from.
"""
