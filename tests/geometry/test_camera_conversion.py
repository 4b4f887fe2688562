"""Cameras over the floor and as OpenCV has them: the same pixels, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.types import View
from selfmva.errors import InputError
from selfmva.geometry.camera_conversion import camera_of_parameters, parameters_of_camera
from selfmva.geometry.cameras import Camera
from selfmva.geometry.floor_cameras import pixel_matrix, projections

VIEW = View("hall", 1280, 720)
numbers = st.tuples(
    st.floats(-0.7, 1.0),
    st.floats(-0.3, 1.4),
    st.floats(-3.1, 3.1),
    st.floats(-0.5, 2.0),
    st.floats(-3.1, 3.1),
    *[st.floats(-9, 9)] * 2,
    *[st.floats(-0.1, 0.1)] * 3,
).map(np.array)


@given(numbers, st.floats(0.1, 200))
def test_there_and_back(parameters: np.ndarray, unit: float) -> None:
    camera = camera_of_parameters(parameters, VIEW, unit)
    assert np.allclose(parameters_of_camera(camera, VIEW, unit), parameters, atol=1e-9)


@given(numbers)
def test_shows_what_the_floor_shows(parameters: np.ndarray) -> None:
    unit = 1.7
    scale = np.diag([1 / unit, 1 / unit, 1 / unit, 1])
    expected = pixel_matrix(VIEW) @ projections(parameters) @ scale
    found = camera_of_parameters(parameters, VIEW, unit).matrix
    assert np.allclose(found / np.linalg.norm(found), expected / np.linalg.norm(expected), atol=1e-9)


def test_a_camera_below_the_floor_is_an_error() -> None:
    """As those of a world whose y points down are, read as if z pointed up."""
    camera = Camera(np.diag([1000.0, 1000, 1]), np.eye(3), [0, 0, 3])
    with pytest.raises(InputError, match="z points up"):
        parameters_of_camera(camera, VIEW)
