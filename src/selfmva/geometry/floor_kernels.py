"""What `selfmva.geometry.floor_pairs` computes by arrays, as a loop for numba: see `selfmva.core.compiled`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

SIGNATURE_OF_LIKELIHOODS = "i8(f8[:, :, ::1], f8[:, ::1], i8[::1], i8[::1], f8, f8, i8[:, ::1], f8[::1])"


def likely_pairs(
    components: FloatArray,
    reach: FloatArray,
    end: IntArray,
    view: IntArray,
    least: float,
    smallest: float,
    pairs: IntArray,
    likelihood: FloatArray,
) -> int:
    """Write down all pairs whose likelihood is above `least`, in the order of the first, then of the second.

    Args:
        components: `(6, 2, M)`, see `floor_pairs`.
        reach: `(4, M)`, see `floor_pairs`.
        end: `(M,)` where the frame of each box ends.
        view: `(M,)`.
        least: Likelihood.
        smallest: Determinant.
        pairs: `(2, E)` rows of boxes, is written.
        likelihood: `(E,)` is written.

    Returns:
        How many pairs there are; those beyond E are not written.
    """
    count = 0
    room = np.empty(len(view))
    for a in range(len(view)):
        start = a + 1
        while start < end[a] and view[start] == view[a]:
            start += 1
        if start >= end[a] or reach[0, a] > reach[2, a]:
            continue
        total = room[: end[a] - start]
        total[:] = 0.0
        for r in range(2):
            x, y = components[0, r, a], components[1, r, a]
            xx, xy, yy, weight = components[2, r, a], components[3, r, a], components[4, r, a], components[5, r, a]
            for s in range(2):
                # Slices from 0 on: the compiler then tests for no negative number, and takes several boxes at once.
                xs, ys = components[0, s, start : end[a]], components[1, s, start : end[a]]
                xxs, xys, yys = (
                    components[2, s, start : end[a]],
                    components[3, s, start : end[a]],
                    components[4, s, start : end[a]],
                )
                weights = components[5, s, start : end[a]]
                for b in range(len(total)):
                    dx, dy = x - xs[b], y - ys[b]
                    sxx, sxy, syy = xx + xxs[b], xy + xys[b], yy + yys[b]
                    determinant = sxx * syy - sxy * sxy
                    determinant = max(smallest, determinant)
                    tail = syy * dx * dx - 2.0 * sxy * dx * dy + sxx * dy * dy + determinant
                    density = determinant * determinant * np.sqrt(determinant) / (tail * tail * tail)
                    total[b] += weight * weights[b] * density
        for b in range(len(total)):
            if total[b] > least:
                if count < len(likelihood):
                    pairs[0, count], pairs[1, count], likelihood[count] = a, start + b, total[b]
                count += 1
    return count
