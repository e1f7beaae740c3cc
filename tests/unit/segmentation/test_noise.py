"""The noise of single pixels."""

import numpy as np
import pytest

from herdbook.segmentation.noise import pixel_noise


@pytest.mark.parametrize("sigma", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("foreground", ["dark", "bright", "either"])
def test_noise_is_the_standard_deviation_of_each_pixel(rng, sigma, foreground):
    background = np.full((20, 30), 128, np.uint8)
    frames = list(np.clip(np.rint(128 + sigma * rng.standard_normal((120, 20, 30))), 0, 255).astype(np.uint8))
    assert pixel_noise(frames, background, foreground).mean() == pytest.approx(sigma, rel=0.15)


def test_noise_is_smoothed_alike_in_width_and_height():
    frames = [np.full((21, 21), 100, np.uint8) for _ in range(20)]
    for number, frame in enumerate(frames):
        frame[10, 10] += 4 * (number % 5)
    noise = pixel_noise(frames, frames[0])
    assert noise[10, 10] > noise[10, 12] > 0.5
    assert noise == pytest.approx(noise.T)
