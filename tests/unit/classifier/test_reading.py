"""Images of tracklets looked at batch by batch."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.classifier import reading
from herdbook.classifier.reading import Reader


@pytest.mark.parametrize("count", [0, 1, 3, 4, 11])
def test_each_blob_has_its_own_answer_whatever_batch_it_is_in(monkeypatch, count):
    monkeypatch.setattr(reading, "BATCH_IMAGES", 3)
    monkeypatch.setattr(reading, "make_crops", lambda images, blobs, rows, *rest: (rows[:, None] * np.ones(2), rows.astype(np.float32)))
    model = SimpleNamespace(output_shape=(None, 2), predict_on_batch=lambda images: images + np.array([0, 0.5]))
    rows = 10 + np.arange(count)
    look = Reader(model, None, None, None, None, None, "m").look(rows)
    assert look.rows.tolist() == look.chroma.tolist() == rows.tolist()
    assert look.logits.tolist() == [[row, row + 0.5] for row in rows.tolist()]
