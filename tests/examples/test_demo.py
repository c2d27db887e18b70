"""The demo page: what it computes, and in a browser."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="the demo page needs the extra demo")
pytest.importorskip("selenium", reason="a browser is driven by selenium")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import keras_axlstm
from keras_axlstm.models import AxLSTMAudioClassifierPreprocessor

EXAMPLES = Path(__file__).parents[2] / "examples"
# For the page to open and for a sound to be described, on a busy machine.
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """A small encoder with its head, and an untrained classifier."""
    folder = tmp_path_factory.mktemp("presets")
    encoder = keras_axlstm.AxLSTMEncoder(hidden_dim=32, num_layers=1)
    keras_axlstm.MaskedSpectrogramModel(encoder).save_to_preset(folder / "encoder")
    preprocessor = AxLSTMAudioClassifierPreprocessor(keras_axlstm.AxLSTMAudioConverter())
    classifier = keras_axlstm.AudioClassifier(
        encoder, class_names=["bird", "rain", "siren"], preprocessor=preprocessor
    )
    classifier.save_to_preset(folder / "classifier")
    return folder / "encoder", folder / "classifier"


@pytest.fixture(scope="module")
def demo(script, presets):
    encoder, classifier = presets
    return script.Demo(str(encoder), EXAMPLES / "audio", classifier)


@pytest.fixture
def address(presets):
    """Of the page, opened by its command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    encoder, classifier = presets
    command = [
        sys.executable,
        EXAMPLES / "demo.py",
        "--preset",
        encoder,
        "--classifier",
        classifier,
    ]
    command += ["--library", EXAMPLES / "audio", "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"})
    address = f"http://127.0.0.1:{port}"
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not answers(address):
        assert server.poll() is None and time.monotonic() < give_up, "the page does not open"
        time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(PATIENCE_SECONDS)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


@pytest.fixture
def browser():
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("the page is opened in chromium, with chromium-driver")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1400,1400"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def test_a_sound_of_the_library_is_most_similar_to_itself(demo):
    for path in demo.paths:
        (best, cosine), *others = demo.nearest(str(path))
        assert best == path
        assert cosine == pytest.approx(1.0, abs=1e-4)
        assert [c for _, c in others] == sorted((c for _, c in others), reverse=True)


def test_reconstruction_hides_half_of_the_loudest_two_seconds(demo, tmp_path):
    rng = np.random.default_rng(0)
    waveform = rng.normal(size=5 * 16000) * 1e-3
    waveform[32000:64000] *= 100
    soundfile.write(tmp_path / "clip.wav", waveform, 16000)
    figure = demo.reconstruction(str(tmp_path / "clip.wav"))
    whole, visible = (np.asarray(a.get_images()[0].get_array()) for a in figure.axes[:2])
    loud = whole.mean(axis=0) > whole.mean() - 1
    assert loud[2:-2].all()
    assert np.isnan(np.ma.filled(visible.astype("float64"), np.nan)).mean() == 0.5


def test_a_short_clip_has_a_reconstruction_and_tags(demo, tmp_path):
    path = str(tmp_path / "short.wav")
    soundfile.write(path, np.random.default_rng(0).normal(size=8000) * 0.1, 16000)
    assert demo.reconstruction(path).axes
    assert sum(demo.tags(path).values()) == pytest.approx(1.0)
    assert demo.timeline(path).axes


def test_page_in_a_browser(address, browser, tmp_path):
    browser.get(address)
    wait = WebDriverWait(browser, PATIENCE_SECONDS)
    chooser = wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "input[type=file]"))[0]
    chooser.send_keys(str(EXAMPLES / "audio" / "rain.ogg"))
    wait.until(lambda b: "rain.ogg" in b.page_source and b.find_elements(By.TAG_NAME, "audio"))
    browser.find_element(By.ID, "listen").click()
    picture = wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#picture img"))[0]
    wait.until(lambda b: picture.get_property("naturalWidth") > 100)
    rows = browser.find_element(By.ID, "nearest").text
    assert "rain.ogg" in rows
    assert "siren" in browser.find_element(By.ID, "tags").text
    browser.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 10_000
