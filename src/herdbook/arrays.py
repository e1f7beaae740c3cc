"""Types of arrays by their dtype, so that signatures are short; shapes are given in docstrings."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# Single precision, where it is enough: images in training, evidence of each blob.
Singles = NDArray[np.float32]
# Output of a network before the softmax, (n, classes).
Logits = NDArray[np.float32]
# Grey or colour values, 0 to 255: of one image, or of a list of pixels.
Image = NDArray[np.uint8]
Pixels = NDArray[np.uint8]
# True for the pixels of a region, (height, width).
Mask = NDArray[np.bool_]
# Outlines as runs of pixels: (k, 3) row, first and last column.
Runs = NDArray[np.int32]
