"""The network that learns looks."""

import keras
import numpy as np

from herdbook.classifier.unmarked.embedding import build_embedding


def test_the_network_sees_levels_from_minus_one_to_one():
    (scaled,) = [layer for layer in build_embedding(16, 16).layers if isinstance(layer, keras.layers.Rescaling)]
    assert np.asarray(scaled(np.array([[0.0, 127.5, 255.0]]))).tolist() == [[-1, 0, 1]]
