import io
import json
import time
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import h5py
import keras
import numpy as np
import pytest

from herdbook.classifier.architectures import build_network, custom_network, load_model, save_model, with_classes
from herdbook.classifier.network import predict_logits, use_threads
from herdbook.errors import HerdbookError

IMAGES = np.random.default_rng(1).integers(0, 255, (3, 48, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    use_threads(1)


def plain_model(classes=4, height=48, activation=None, softmax=False):
    inputs = keras.Input((height, 32, 3))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(inputs))
    x = keras.layers.Dense(classes, activation=activation)(x)
    return keras.Model(inputs, keras.layers.Softmax()(x) if softmax else x)


@pytest.mark.parametrize("architecture", ["small", "wide", "large"])
def test_a_network_gives_logits_and_survives_its_file(architecture, tmp_path):
    model, notes = build_network(architecture, 48, 32, 5)
    assert notes == []
    logits = predict_logits(model, IMAGES)
    assert logits.shape == (3, 5)
    save_model(model, tmp_path / "n.keras")
    np.testing.assert_allclose(predict_logits(load_model(tmp_path / "n.keras"), IMAGES), logits, rtol=1e-5, atol=1e-6)


def test_the_same_weights_are_the_same_file(tmp_path):
    for name in ("one", "other"):
        keras.utils.set_random_seed(1)
        # The names of layers count models of this process; a stage makes one.
        keras.backend.clear_session()
        save_model(build_network("small", 48, 32, 5)[0], tmp_path / f"{name}.keras")
        time.sleep(2.1)  # zip files tell even seconds
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()


def test_larger_networks_have_more_parameters():
    sizes = [build_network(name, 48, 32, 5)[0].count_params() for name in ("small", "wide", "large")]
    assert sizes[0] < 100_000 < sizes[1]
    assert sizes[0] < sizes[2]


def test_mobilenet_without_its_weights_begins_at_random_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model, (note,) = build_network("mobilenetv2", 48, 32, 3)
    assert model.output_shape == (None, 3)
    assert "random weights" in note
    assert str(tmp_path) in note


@pytest.mark.parametrize("suffix", ["keras", "json"])
def test_a_custom_model_is_taken_from_its_file(tmp_path, suffix):
    model, path = plain_model(), tmp_path / f"my.{suffix}"
    if suffix == "json":
        path.write_text(model.to_json())
    else:
        model.save(path)
    assert predict_logits(custom_network(path, 48, 32, 4), IMAGES).shape == (3, 4)


@pytest.mark.parametrize("how", [{"activation": "softmax"}, {"softmax": True}])
def test_the_last_softmax_of_a_custom_model_is_taken_off(tmp_path, how):
    model = plain_model(**how)
    model.save(tmp_path / "my.keras")
    logits = predict_logits(custom_network(tmp_path / "my.keras", 48, 32, 4), IMAGES / np.float32(50))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, predict_logits(model, IMAGES / np.float32(50)), atol=1e-4)
    assert np.abs(logits.sum(axis=1) - 1).max() > 1e-3


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ({"classes": 7}, r"expected an output of the shape \(None, 4\), .* found \(None, 7\)"),
        ({"height": 64}, r"expected a model with one input of the shape \(None, 48, 32, 3\), found \(None, 64, 32, 3\)"),
    ],
)
def test_a_custom_model_of_the_wrong_shape_is_refused(tmp_path, how, fault):
    plain_model(**how).save(tmp_path / "my.keras")
    with pytest.raises(HerdbookError, match=fault):
        custom_network(tmp_path / "my.keras", 48, 32, 4)


@pytest.mark.parametrize("content", [None, b"not a model", b"{}"])
@pytest.mark.parametrize("suffix", ["keras", "json"])
def test_a_file_that_is_no_model_is_refused_by_its_name(tmp_path, content, suffix):
    path = tmp_path / f"my.{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HerdbookError, match=rf"my\.{suffix}: (there is no such file|not a readable Keras 3 model)"):
        load_model(path)


def test_a_model_with_code_in_it_is_not_run(tmp_path):
    inputs = keras.Input((48, 32, 3))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)).save(tmp_path / "my.keras")
    with pytest.raises(HerdbookError, match="can run code"):
        load_model(tmp_path / "my.keras")


def test_new_classes_leave_the_answers_for_the_old_ones():
    model, _ = build_network("small", 48, 32, 3)
    extended = with_classes(model, ["a", "b", "c"], ["c", "new", "a"])
    before, after = predict_logits(model, IMAGES), predict_logits(extended, IMAGES)
    assert after.shape == (3, 3)
    np.testing.assert_allclose(after[:, [2, 0]], before[:, [0, 2]], rtol=1e-5, atol=1e-6)
    assert with_classes(model, ["a", "b", "c"], ["a", "b", "c"]) is model


def small_json(**changes):
    """The description of a network, with other values at these keys of its last layer."""
    config = json.loads(build_network("small", 48, 32, 3)[0].to_json())
    config["config"]["layers"][-1]["config"] |= changes
    return config


@pytest.mark.parametrize(
    ("units", "expected"),
    [(10**9, "has 2,30[0-9,]+ weights"), (10**20, "more than 10\\^15 weights"), (-1, "not a readable"), ("x", "not a")],
)
def test_the_weights_of_a_network_are_counted_before_they_are_made(tmp_path, units, expected):
    (tmp_path / "my.json").write_text(json.dumps(small_json(units=units)))
    with pytest.raises(HerdbookError, match=rf"my\.json: .*{expected}"):
        load_model(tmp_path / "my.json")


def test_a_layer_that_unfolds_is_refused(tmp_path):
    inputs = keras.Input((48, 32, 3))
    inner = keras.Sequential([keras.Input((48, 32, 3)), keras.layers.ZeroPadding2D(7000), keras.layers.GlobalAveragePooling2D()])
    (tmp_path / "my.json").write_text(keras.Model(inputs, keras.layers.Dense(3)(inner(inputs))).to_json())
    with pytest.raises(HerdbookError, match="values in one layer for one image; a network for crops has at most"):
        load_model(tmp_path / "my.json")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": ' * 5_000 + "1" + "}" * 5_000, f'{{"a": {"9" * 5000}}}'], ids=["open", "deep", "digits"]
)
def test_a_description_that_cannot_be_parsed_is_reported(tmp_path, text):
    (tmp_path / "my.json").write_text(text)
    with pytest.raises(HerdbookError, match=r"my\.json: not a readable Keras 3 model"):
        load_model(tmp_path / "my.json")


def rewritten(path, change, compression=ZIP_STORED):
    """The .keras with other members."""
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def link_weights(members):
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        file["layers/more"] = h5py.ExternalLink("other.h5", "/values")
    members["model.weights.h5"] = content.getvalue()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda members: members.update({"../outside.txt": b"outside"}), "holds '../outside.txt', which no network for crops has"),
        (lambda members: members.update({"metadata.json": bytes(200_000_000)}), "says that it holds 19[0-9] MB"),
        (lambda members: members.pop("config.json"), "not a readable Keras 3 model"),
        (link_weights, "/layers/more is a link"),
    ],
    ids=["outside", "packed", "lost", "link"],
)
def test_members_of_a_model_are_checked_before_they_are_read(tmp_path, change, expected):
    save_model(build_network("small", 48, 32, 3)[0], tmp_path / "my.keras")
    rewritten(tmp_path / "my.keras", change, ZIP_DEFLATED)
    with pytest.raises(HerdbookError, match=rf"my\.keras: .*{expected}"):
        load_model(tmp_path / "my.keras")


def test_networks_of_usual_layers_are_still_taken(tmp_path):
    layers = keras.layers
    inputs = keras.Input((48, 32, 3))
    x = layers.RandomFlip()(layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 1, 1])(inputs))
    x = layers.Dropout(0.2)(layers.SeparableConv2D(4, 3)(layers.LayerNormalization()(x)))
    x = keras.Sequential([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])(x)
    model = keras.Model(inputs, layers.Dense(3)(x))
    model.save(tmp_path / "my.keras")
    (tmp_path / "my.json").write_text(model.to_json())
    np.testing.assert_allclose(predict_logits(load_model(tmp_path / "my.keras"), IMAGES), predict_logits(model, IMAGES), rtol=1e-6)
    assert load_model(tmp_path / "my.json").count_params() == model.count_params()
