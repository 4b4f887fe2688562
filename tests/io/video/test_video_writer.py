"""Videos that are written: H.264 that browsers play, whole or not at all."""

from __future__ import annotations

import base64
import logging
import shutil
import subprocess
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from full_disk import largest_file

from selfmva.errors import DataError, InputError
from selfmva.io import VideoFile, VideoWriter
from selfmva.io.video import video_encoders

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLOURS = np.array([[200, 60, 40], [40, 160, 60], [40, 60, 200], [120, 120, 120]], np.uint8)


def plain(number: int, width: int = 128, height: int = 64) -> NDArray[np.uint8]:
    """An image of one colour."""
    return np.broadcast_to(COLOURS[number % len(COLOURS)], (height, width, 3))


def write_film(path: Path, count: int, rate: float = 25, size: tuple[int, int] = (128, 64)) -> Path:
    with VideoWriter(path, rate, size) as writer:
        for number in range(count):
            writer.write(plain(number, *size))
    return path


def without_h264(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_encoders, "has_h264", lambda: False)
    video_encoders._tell_of_h264.cache_clear()


@pytest.mark.parametrize(("rate", "exact"), [(25, 25), (29.97, Fraction(2997, 100)), (30000 / 1001, 0), (0.5, 0.5)])
def test_mp4_is_h264_with_its_index_in_front(tmp_path: Path, rate: float, exact: float) -> None:
    path = write_film(tmp_path / "a.mp4", 12, rate)
    exact = Fraction(exact) or Fraction(30000, 1001)
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert (stream.codec.name, stream.format.name, stream.width, stream.height) == ("h264", "yuv420p", 128, 64)
        assert (stream.frames, stream.average_rate) == (12, exact)
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
    assert times == [Fraction(number) / exact for number in range(12)]
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # a browser shows it before it has all of it


@pytest.mark.parametrize("size", [(65, 49), (64, 49), (65, 48), (1, 1)])
@pytest.mark.parametrize("ending", ["mp4", "avi"])
def test_an_odd_side_gets_another_line(tmp_path: Path, size: tuple[int, int], ending: str) -> None:
    if size == (1, 1) and ending == "avi":
        pytest.skip("no Motion JPEG is that small")
    image = VideoFile(write_film(tmp_path / f"a.{ending}", 3, size=size)).read(1)
    assert image.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    np.testing.assert_allclose(image, np.broadcast_to(COLOURS[1], image.shape), atol=12)


def test_images_come_back_in_any_order(tmp_path: Path) -> None:
    source = VideoFile(write_film(tmp_path / "a.mp4", 90, rate=10))
    assert (len(source), source.rate) == (90, 10)
    for number in [89, 0, 45, 44, 46, 21, 20, 19]:
        np.testing.assert_allclose(source.read(number).mean(axis=(0, 1)), COLOURS[number % 4], atol=6)


def test_without_pyav_the_log_says_what_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    without_h264(monkeypatch)
    with caplog.at_level(logging.WARNING):
        for name in ("a.avi", "a.mp4", "b.mp4"):
            assert len(VideoFile(write_film(tmp_path / name, 5))) == 5
    (record,) = caplog.records  # once, and not of an .avi
    assert "pip install 'selfmva[video]'" in record.message
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec.name == "mpeg4"


@pytest.mark.parametrize("missing", ["av", "libx264"])
def test_what_is_missing_is_noticed(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    assert video_encoders.has_h264()
    if missing == "av":
        monkeypatch.setattr(video_encoders, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    assert not video_encoders.has_h264.__wrapped__()


@pytest.mark.parametrize("h264", [True, False])
def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, h264: bool) -> None:
    if not h264:
        without_h264(monkeypatch)
    path = write_film(tmp_path / "a.mp4", 3)
    before = path.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (40, 480, 640, 3), np.uint8)

    def write_noise() -> None:
        with largest_file(200_000), VideoWriter(path, 25, (640, 480)) as writer:
            for image in noise:
                writer.write(image)

    with pytest.raises(DataError, match="cannot write"):
        write_noise()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("rate", "size"), [(1e-9, (64, 48)), (25, (20_000, 2))])
def test_what_h264_does_not_take(tmp_path: Path, rate: float, size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="cannot write .*images a second"), VideoWriter(tmp_path / "a.mp4", rate, size):
        pass
    assert list(tmp_path.iterdir()) == []


PAGE = """<!doctype html><video id="film" muted src="data:video/mp4;base64,{film}"></video><script>
const film = document.getElementById("film");
const say = (...parts) => fetch("/said?" + parts.join(","));
film.onerror = () => say("error", film.error.message);
film.onended = () => {{
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  pen.drawImage(film, 0, 0);
  const colour = pen.getImageData(20, 20, 1, 1).data.slice(0, 3);
  say(film.readyState, film.duration, film.videoWidth, film.videoHeight, ...colour);
}};
film.play().catch(error => say("error", error));
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium")
def test_a_browser_plays_it(tmp_path: Path) -> None:
    """To its end, in its colours."""
    film = base64.b64encode(write_film(tmp_path / "a.mp4", 13, rate=10).read_bytes()).decode()
    said: Queue[str] = Queue()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/said?"):
                said.put(self.path.removeprefix("/said?"))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.format(film=film).encode() if self.path == "/" else b"")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever).start()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        options += [f"--user-data-dir={tmp_path}/profile", "--remote-debugging-port=0"]
        command = ["chromium", *options, f"http://127.0.0.1:{server.server_port}/"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            numbers = [float(part) for part in said.get(timeout=60).split(",")]
        finally:
            browser.terminate()
            browser.wait(20)
            server.shutdown()
    np.testing.assert_allclose(numbers[1:4], [1.3, 128, 64], atol=0.01)
    assert numbers[0] >= 2  # there is an image of now
    np.testing.assert_allclose(numbers[4:], COLOURS[12 % 4], atol=8)


def test_an_error_keeps_the_old_file(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", 5)
    before = path.read_bytes()

    def fail() -> None:
        with VideoWriter(path, 25, (128, 64)) as writer:
            writer.write(plain(1))
            assert path.read_bytes() == before
            raise KeyError("no")

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(InputError, match="no image was written"), VideoWriter(path, 25, (128, 64)):
        pass
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "rate", "size", "message"),
    [
        ("a.mov", 25, (64, 48), r"cannot write this ending; use .mp4 or .avi"),
        ("a.mp4", 0, (64, 48), "rate must be a finite number above 0"),
        ("a.mp4", 25, (0, 48), "width in pixels must be a whole number"),
        ("a.mp4", 25, (64, 48.5), "height in pixels must be a whole number"),
    ],
)
def test_what_cannot_be_a_video(tmp_path: Path, name: str, rate: float, size: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        VideoWriter(tmp_path / name, rate, size)


def test_what_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="cannot write"), VideoWriter(tmp_path / "no" / "a.mp4", 25, (64, 48)):
        pass
    with VideoWriter(tmp_path / "a.avi", 25, (64, 48)) as writer:
        writer.write(np.zeros((48, 64), np.uint8))  # grey
        with pytest.raises(InputError, match="images of 64 x 48, got 48 x 64"):
            writer.write(np.zeros((64, 48, 3), np.uint8))
        with pytest.raises(InputError, match="must be uint8"):
            writer.write(np.zeros((48, 64, 3)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is not open"):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert len(VideoFile(tmp_path / "a.avi")) == 1
    assert capfd.readouterr().err == ""
