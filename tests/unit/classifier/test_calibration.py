import numpy as np
import pytest

from herdbook.classifier.calibration import (
    DOUBT_TRACKLETS,
    IMAGE_DOUBT,
    LOG_TEMPERATURE_SPREAD,
    PRIOR_DOUBT,
    Calibration,
    combine_images,
    fit_calibration,
    fit_correlation,
    fit_temperature,
    image_scores,
    independent_images,
    reliability,
    tracklet_posteriors,
)

ALONE = Calibration(1.0, 0.0, 1e-6, 0.0)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 5.0])
def test_the_temperature_undoes_a_known_scale_of_the_logits(factor):
    rng = np.random.default_rng(8)
    logits = rng.normal(0, 2, (6000, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (rng.random((6000, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, 4).astype(np.int32)
    found = fit_temperature((factor * logits).astype(np.float32), label, np.arange(6000, dtype=np.int32))
    assert found == pytest.approx(factor, rel=0.08)


def test_without_images_the_calibration_is_that_of_no_knowledge():
    empty = np.zeros(0, np.int32)
    assert fit_calibration(np.zeros((0, 3), np.float32), empty, empty, np.zeros(0)) == Calibration()


def test_few_tracklets_that_are_all_right_are_no_reason_to_be_certain():
    logits = np.tile(np.array([[3.0, 0, 0]], np.float32), (40, 1))
    found = fit_calibration(logits, np.zeros(40, np.int32), np.repeat(np.arange(2), 20).astype(np.int32), np.arange(40) / 10)
    assert 0.4 < found.temperature < 1
    assert found.doubt == pytest.approx(PRIOR_DOUBT * DOUBT_TRACKLETS / (DOUBT_TRACKLETS + 2), abs=1e-6)


@pytest.mark.parametrize(("misread", "unexpected"), [(0, 0.0), (10, 10.0)])
def test_doubt_is_the_share_of_tracklets_misread_beyond_what_their_images_say(misread, unexpected):
    # Of the tracklets, each of one image, more are right than their weak images say; of those whose images are sure, `misread` are wrong.
    weak, sure = np.tile([[1.5, 0.0]], (60, 1)), np.tile([[60.0, 0.0]], (40, 1))
    logits = (weak if not misread else sure).astype(np.float32)
    label = (np.arange(len(logits)) < misread).astype(np.int32)
    number = np.arange(len(logits), dtype=np.int32)
    found = fit_calibration(logits, label, number, number.astype(float))
    score = image_scores(logits, found.temperature)
    _, posterior = tracklet_posteriors(score, number, number.astype(float), Calibration(found.temperature, doubt=0.0))
    lacking = (1 - posterior.max(axis=1)).sum()
    assert (lacking > 5) == (misread == 0)
    expected = (max(0.0, unexpected - lacking) + PRIOR_DOUBT * DOUBT_TRACKLETS) / (len(logits) + DOUBT_TRACKLETS)
    assert found.doubt == pytest.approx(expected, rel=1e-3)
    assert found.doubt > 0


def test_a_long_tracklet_counts_as_much_as_a_short_one():
    long, short = np.tile([[4.0, 0]], (500, 1)), np.tile([[4.0, 0]], (5, 1))
    logits = np.concatenate([long, short]).astype(np.float32)
    label = np.repeat([0, 1], [500, 5]).astype(np.int32)
    assert fit_temperature(logits, label, label) > 1.1


@pytest.mark.parametrize(("lasting", "decay_s"), [(0.0, 0.5), (0.3, 1.0), (0.7, 0.2), (0.5, 2.0)])
def test_the_correlation_of_neighbouring_frames_is_found_again(lasting, decay_s):
    rng = np.random.default_rng(3)
    score, group, time_s = [], [], []
    keep = np.exp(-0.1 / decay_s)
    for k in range(300):
        noise = np.zeros(80)
        noise[0] = rng.normal()
        for t in range(1, 80):
            noise[t] = keep * noise[t - 1] + np.sqrt(1 - keep**2) * rng.normal()
        score.append(np.sqrt(lasting) * rng.normal() + np.sqrt(1 - lasting) * noise)
        group.append(np.full(80, k))
        time_s.append(np.arange(80) / 10)
    found = fit_correlation(np.concatenate(score), np.concatenate(group).astype(np.int32), np.concatenate(time_s))
    assert found[0] == pytest.approx(lasting, abs=0.1)
    assert decay_s / 2.6 <= found[1] <= decay_s * 2.6


@pytest.mark.parametrize("decay_s", [0.2, 0.5, 2.0])
def test_the_decay_of_the_correlation_is_found_among_those_tried(decay_s):
    # Pairs of images up to 3 s apart, of which a fifth of the variance lasts.
    rng = np.random.default_rng(6)
    lag = rng.uniform(0, 3, 4000)
    kept = 0.2 + 0.8 * np.exp(-lag / decay_s)
    first, other = rng.normal(size=(2, 4000))
    score = np.stack([first, kept * first + np.sqrt(1 - kept**2) * other], 1).ravel()
    time_s = np.stack([np.zeros(4000), lag], 1).ravel()
    lasting, found = fit_correlation(score, np.repeat(np.arange(4000), 2).astype(np.int32), time_s)
    assert found == decay_s
    assert lasting == pytest.approx(0.2, abs=0.06)


def test_the_temperature_weighs_each_tracklet_once_against_the_prior():
    logits = np.tile(np.array([[3.0, 0, 0]], np.float32), (40, 1))
    label, group = np.zeros(40, np.int32), np.repeat([0, 1], [10, 30]).astype(np.int32)
    tried = np.linspace(-1.5, 1, 20_001)
    each = np.log1p(2 * np.exp(-3 / np.exp(tried)))  # loss of one image, and so of one tracklet
    best = np.exp(tried[(2 * each + (tried / LOG_TEMPERATURE_SPREAD) ** 2 / 2).argmin()])
    assert fit_temperature(logits, label, group) == pytest.approx(best, rel=1e-3)


def test_images_are_worth_the_less_the_more_they_resemble_each_other():
    at_once, spread = np.arange(10) / 100, np.arange(10) * 10.0
    loose, tight = Calibration(lasting=0.0, decay_s=1.0), Calibration(lasting=0.5, decay_s=1.0)
    assert independent_images(at_once, loose) == pytest.approx(1, abs=0.1)
    assert independent_images(spread, loose) == pytest.approx(10, abs=0.1)
    assert independent_images(spread, tight) == pytest.approx(10 / (1 + 9 * 0.5), abs=0.05)
    assert independent_images(spread[:1], tight) == 1


def test_independent_images_combine_by_the_product_of_their_probabilities():
    score = np.log(np.array([[0.6, 0.4], [0.6, 0.4], [0.2, 0.8]], np.float32))
    evidence = combine_images(score, np.ones(3, np.float32), np.array([0, 0, 2]), np.array([0.0, 5.0, 0.0]), 3, ALONE)
    np.testing.assert_allclose(np.exp(evidence[0]) / 2, [0.36 / 0.52, 0.16 / 0.52], rtol=1e-5)
    assert (evidence[1] == 0).all()
    np.testing.assert_allclose(np.exp(evidence[2]) / 2, [0.2, 0.8], rtol=1e-5)


def test_an_image_that_cannot_be_read_says_nothing():
    score = np.log(np.array([[0.9, 0.1], [0.1, 0.9]], np.float32))
    evidence = combine_images(score, np.array([1, 0], np.float32), np.zeros(2, np.int64), np.array([0.0, 9.0]), 1, ALONE)
    assert evidence[0, 0] > evidence[0, 1]
    nothing = combine_images(score, np.zeros(2, np.float32), np.zeros(2, np.int64), np.array([0.0, 9.0]), 1, ALONE)
    assert (nothing == 0).all()


def test_a_tracklet_is_never_surer_than_the_doubt_allows():
    score = image_scores(np.tile(np.array([[50.0, 0, 0, 0]], np.float32), (30, 1)), 1.0)
    time_s = np.arange(30.0)
    _, posterior = tracklet_posteriors(score, np.zeros(30, np.int32), time_s, Calibration(doubt=0.04))
    assert posterior[0, 0] == pytest.approx(0.97, abs=1e-4)
    assert posterior.sum() == pytest.approx(1, abs=1e-4)


def test_image_scores_are_normalised_and_no_image_speaks_without_bound():
    logits = np.array([[1000, 0, 0, 0], [0, 0, 0, 0], [3, 1, -5, 0]], np.float32)
    found = image_scores(logits, 1.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)
    assert found.min() >= np.log(IMAGE_DOUBT / 4) - 1e-4
    assert image_scores(logits, 3.0)[2, 0] < found[2, 0]


def test_reliability_is_perfect_when_claims_are_true_and_tells_by_how_much_they_are_not():
    rng = np.random.default_rng(5)
    confidence = rng.uniform(0.2, 1, 20_000)
    true, half = rng.random(20_000) < confidence, rng.random(20_000) < confidence / 2
    assert reliability(confidence, true)["ece"] < 0.02
    assert reliability(confidence, half)["ece"] == pytest.approx(0.3, abs=0.02)
    assert sum(reliability(confidence, true)["count"]) == 20_000
    assert reliability(confidence[:0], true[:0])["ece"] is None


def test_the_calibration_of_tracklets_holds_on_other_tracklets():
    """Logits with an error per tracklet and one per image, as networks make them."""

    def tracklets(rng, count):
        label = np.repeat(rng.integers(0, 6, count), 20).astype(np.int32)
        group = np.repeat(np.arange(count), 20).astype(np.int32)
        logits = 2.5 * np.eye(6)[label] + np.repeat(rng.normal(0, 1.2, (count, 6)), 20, axis=0) + rng.normal(0, 1, (count * 20, 6))
        return (3 * logits).astype(np.float32), label, group, np.tile(np.arange(20) * 2.0, count)

    calibration = fit_calibration(*tracklets(np.random.default_rng(1), 60))
    logits, label, group, time_s = tracklets(np.random.default_rng(2), 1500)
    _, posterior = tracklet_posteriors(image_scores(logits, calibration.temperature), group, time_s, calibration)
    right = posterior.argmax(axis=1) == label[::20]
    assert 0.7 < right.mean() < 0.97
    assert reliability(posterior.max(axis=1), right)["ece"] < 0.08
