"""A page about an associator: what it learnt and, on some instants, how well it does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from selfmva.association.fitted import check_fitted
from selfmva.core.arguments import offers, stream
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.errors import InputError, require
from selfmva.io.storage.atomic import atomic_write
from selfmva.viz.blur import check_part
from selfmva.viz.video import InstantImages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame, IntArray
    from selfmva.viz.blur import Part


def write_report(
    path: str | Path,
    associator: Associator,
    frames: Iterable[Frame] = (),
    *,
    identities: Iterable[Sequence[IntArray]] | None = None,
    images: InstantImages | None = None,
    blur: Part | None = None,
) -> None:
    """Write one HTML file about an associator, with everything in it: no script, no link, no other file.

    It holds what was learnt (view pairs, clocks, the floor), settings and versions. With frames also how many people
    there are, who is seen when, how sure the associator is, whether the cameras still fit what was learnt, and the
    least confident instants as pictures. With identities, scores and curves under the calibrated protocol, and the
    worst instants with wrong matches struck out.

    Args:
        path: The file, replaced as a whole or not at all.
        associator: A fitted one.
        frames: Successive instants, in the order of time, read one by one.
        identities: For each frame, who was there: one `(N,)` int64 array per view, -1 where it is not known.
        images: Where the images of pictures come from, by `Frame.index`, such as a `SynchronizedReader`; by default
            those that the frames carry.
        blur: `"faces"` or `"people"`, see `blur_people`.

    Raises:
        NotFittedError: The associator is not fitted.
        InputError: Frames, identities and images don't fit together.
        DataError: The file cannot be written.
        MissingDependencyError: jinja2 is not installed.

    Example:
        >>> from selfmva import Associator
        >>> from selfmva.datasets.simulated import Simulated
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> scene = Simulated(views=2, people=3, instants=200, seed=0)
        >>> associator = Associator(recipe="geometry").fit(scene)
        >>> with TemporaryDirectory() as folder:
        ...     write_report(f"{folder}/report.html", associator, [scene.frame(199)])
        ...     Path(f"{folder}/report.html").read_text()[:15]
        '<!doctype html>'
    """
    check_fitted(associator, "write_report()")
    path = as_path(path, "the path of a report")
    if images is not None and not offers(images, InstantImages):
        raise InputError(f"images must be a selfmva.io.SynchronizedReader, or the like, got {shown(images)}")
    labels = None if identities is None else stream(identities, "identities", "one entry per frame")
    require("jinja2", "viz")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from selfmva.association.tracker import with_ids_that_last
    from selfmva.viz.report import sections  # loads torch, which drawing alone does without
    from selfmva.viz.report.findings import gather_findings
    from selfmva.viz.report.pose_section import describe_poses

    if blur is not None:
        check_part(blur)
    following = partial(with_ids_that_last, associator)
    findings = gather_findings(associator.associate_many(frames), labels, following=following)
    calibrated = associator.tables_ is not None
    template = Environment(
        loader=PackageLoader("selfmva.viz.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html")
    page = template.render(
        views=associator.views_,
        fit=sections.describe_fit(associator),
        floor=sections.describe_floor(associator, findings),
        poses=describe_poses(associator, findings),
        stream=sections.describe_stream(findings) if findings.instants else None,
        timeline=sections.describe_timeline(findings, associator.views_) if calibrated else None,
        health=sections.describe_health(associator) if findings.instants else None,
        scores=sections.describe_scores(findings, associator.views_) if findings.pairs else None,
        calibrated=calibrated,
        pictures=[sections.describe_instant(entry, images, blur) for entry in findings.remarkable],
        settings=sections.flat_settings(associator.get_params()),
        versions=sections.versions(),
    )
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
