"""Associator: learn from a recording, then say who is who. It orchestrates; the maths is elsewhere."""

from __future__ import annotations

import logging
import time
import warnings
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from selfmva.association.adapting import adapt_model
from selfmva.association.appearance.matches import match_by_appearance
from selfmva.association.body_cameras import find_body_cameras, take_cameras
from selfmva.association.doubles.finding import single_frames, without_learnt_doubles
from selfmva.association.embedding_choice import choose_embedding
from selfmva.association.frame_reader import FrameReader
from selfmva.association.frames_argument import each_frame
from selfmva.association.given_cameras import resolve_cameras, split_lenses, warn_of_contradiction
from selfmva.association.good_part import learn_good_part
from selfmva.association.health.check import NO_PROFILE, check_frames
from selfmva.association.health.health import Health
from selfmva.association.health.stream import watched
from selfmva.association.health.watch import Watch
from selfmva.association.learning import learn
from selfmva.association.left_out import with_left_out
from selfmva.association.model import FittedModel
from selfmva.association.outcome import warn_of_changes, warn_of_doubts, with_report
from selfmva.association.parameters import change_parameters, hold_at_once, read_parameters, waiting_parameters
from selfmva.association.poses import cameras_of_model, find_poses, require_cameras
from selfmva.association.pretrained import Pretrained
from selfmva.association.recording import CanonicalRecording, read_recording, with_usable_tracks
from selfmva.association.streaming import associate_and_tally, chunks
from selfmva.association.tracking import track_associations
from selfmva.association.tracks import Tracks
from selfmva.core.bad_box_frames import BadBoxWatch, without_bad_boxes
from selfmva.core.config import AssociatorConfig
from selfmva.core.devices import check_device, find_device
from selfmva.core.frame_columns import validate_boxes
from selfmva.core.messages import shown
from selfmva.core.packed_boxes import feature_length
from selfmva.core.scalars import integer
from selfmva.core.threads import MOST_THREADS, limited_threads, map_in_order
from selfmva.core.view_checks import view_number
from selfmva.errors import (
    InputError,
    LearntNothingWarning,
    NotFittedError,
    RigChangedWarning,
)
from selfmva.geometry.calibration import calibrate
from selfmva.io.boxes.argument import resolve_boxes
from selfmva.io.video.view_argument import resolve_views
from selfmva.perception.features import FeatureExtractor
from selfmva.training.callbacks import Callback, ProgressHook, read_watch, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from selfmva.association.association import Association
    from selfmva.association.given_cameras import CamerasLike
    from selfmva.association.health.tally import Tally
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.config import AppearanceConfig, AssociationConfig, EncoderConfig, GeometryConfig, Recipe
    from selfmva.core.types import Frame
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.geometry.cameras import Camera
    from selfmva.io.boxes.argument import BoxesLike, FrameLike
    from selfmva.io.video.view_argument import ViewLike
    from selfmva.pose.poses import Poses3D

logger: logging.Logger = logging.getLogger(__name__)


class Associator(Pretrained):
    """Learns which boxes of several fixed, synchronized cameras are the same person, without labels.

    Args:
        seed: Every random choice comes from it.
        recipe: How an embedding is trained: `"batch"`, `"published"`, or not at all: `"geometry"`; or `"auto"` (the
            default): by the batch recipe, but only where geometry leaves something open, which `fit_report_` says. Or
            an `AutoRecipe`, `BatchRecipe`, `PublishedRecipe` or `GeometryRecipe`, or a dictionary of its fields with
            `name`.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"` for the GPU where there is one.
        precision: `"float32"`, or `"bfloat16"` to train under automatic mixed precision.
        threads: CPU threads; see `AssociatorConfig`.
        encoder: An `EncoderConfig` or a dictionary of its fields.
        geometry: A `GeometryConfig` or a dictionary of its fields.
        appearance: Name of an encoder of what people look like (`"osnet-ain"`, `"onnx:re-id.onnx"`,
            `"torchvision:resnet50"`), or an `AppearanceConfig` or a dictionary of its fields. None: only features that
            frames bring along are used.
        association: An `AssociationConfig` or a dictionary of its fields.
        on_bad_box: What happens with boxes without area, not finite or wholly outside their image. `"drop"`: they are
            left out, counted (`Association.dropped_boxes`, `fit_report_.dropped_boxes`) and warned of once a call;
            where they stood, `associate` answers id -1 and probability 0. `"raise"`: an error. Most boxes bad are an
            error in any case.
        skeleton: Which joints the keypoints of frames are, the name of one of `selfmva.pose.SKELETONS`. None: as their
            number tells.

    Attributes:
        model_: All of the following as one value, a `selfmva.association.model.FittedModel`.
        views_: The cameras.
        card_: What `save_pretrained` was told of the model, a `selfmva.hub.Card`; None where nothing.
        encoder_: The trained encoder; None where none was trained.
        floor_: The common floor of the cameras, a `selfmva.geometry.floor.Floor`; None where none was found.
        cameras_: Per view a `selfmva.geometry.cameras.Camera` over the floor, None where it is not known.
        lines_: Fundamental matrices of head points, for view pairs without a floor, where they are trusted.
        tables_: What distances mean, for every view pair; None for a converted checkpoint before `adapt`.
        appearance_: Identity of the encoder by whose features appearance was learnt, `"frames"` for features that
            frames brought along; None where appearance tells nothing.
        clock_offsets_: `(V,)` int64 instants, found where `geometry.clock_bound` asks for them: view v shows at instant
            t what view 0 shows at t + offset. `selfmva.geometry.align_frames.align_frames` brings other frames in line.
        fit_report_: What was learnt; there is none of a converted checkpoint before `adapt`.
        health_: Whether the cameras of the last stream still fit what was learnt, a `selfmva.Health`.

    Raises:
        ConfigError: A hyper-parameter is unknown or out of range.

    Example:
        >>> from selfmva.datasets.simulated import Simulated
        >>> scene = Simulated(views=2, people=3, instants=200, seed=0)
        >>> associator = Associator(recipe={"name": "batch", "steps": 10}).fit(scene)
        >>> association = associator.associate(scene.frame(199))
        >>> association.probability(0, 1).shape == (len(association.ids[0]), len(association.ids[1]))
        True
    """

    def __init__(  # noqa: PLR0913  # one for each stage
        self,
        *,
        seed: int = 0,
        recipe: str | Recipe | dict[str, Any] = "auto",
        device: str = "cpu",
        precision: str = "float32",
        threads: int = 1,
        encoder: EncoderConfig | dict[str, Any] | None = None,
        geometry: GeometryConfig | dict[str, Any] | None = None,
        appearance: str | AppearanceConfig | dict[str, Any] | None = None,
        association: AssociationConfig | dict[str, Any] | None = None,
        on_bad_box: OnBadBox = "drop",
        skeleton: str | None = None,
    ) -> None:
        self._config = read_parameters(
            {
                "seed": seed,
                "recipe": recipe,
                "device": device,
                "precision": precision,
                "threads": threads,
                "encoder": encoder,
                "geometry": geometry,
                "appearance": appearance,
                "association": association,
                "on_bad_box": on_bad_box,
                "skeleton": skeleton,
            }
        )
        self._extractor = FeatureExtractor(self._config.appearance, self._config.device)
        self._watch: Watch | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  # as scikit-learn asks
        """Hyper-parameters by name; `Associator(**associator.get_params())` is an equal, unfitted one.

        Args:
            deep: Changes nothing, for no hyper-parameter is an estimator; it is there for `sklearn.base.clone`.
        """
        return {name: getattr(self._config, name) for name in AssociatorConfig.model_fields}

    def __sklearn_clone__(self) -> Self:
        return type(self)(**self.get_params())

    def set_params(self, **params: Any) -> Self:
        """Change hyper-parameters. What was learnt stays, and is saved with those it was learnt with.

        `association`, `threads` and `on_bad_box` hold at once. The others wait for the next `fit`; the repr and the log
        say so.

        Args:
            **params: As for `Associator`; of a stage that is given as a dictionary, other fields stay as they are.

        Returns:
            self

        Raises:
            ConfigError: A hyper-parameter is unknown or out of range; none is changed.

        Example:
            >>> careful = Associator.from_pretrained("wildtrack").set_params(association={"threshold": 0.9})
            >>> careful.get_params()["association"].threshold
            0.9
        """
        self._config = change_parameters(self._config, params)
        if self._model is None:
            self._extractor = FeatureExtractor(self._config.appearance, self._config.device)
        else:
            self._model = replace(self._model, config=hold_at_once(self._model.config, self._config))
            if waiting := self._waiting():
                logger.warning("%s will hold from the next fit() on", ", ".join(waiting))
        return self

    def fit(
        self,
        views: Sequence[ViewLike] | MultiViewDataset,
        boxes: BoxesLike | None = None,
        *,
        cameras: CamerasLike | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: ProgressHook | None = silent,
        callbacks: Iterable[Callback] | None = (),
    ) -> Self:
        """Learn from a recording; no identity is ever read.

        Args:
            views: One entry per camera: a `View`, a bare `(width, height)`, a folder of images, a video file, or an
                array `(T, H, W, 3)` uint8. Or a dataset, whose training split is read (everything, where it has none).
            boxes: `boxes[t][v]`, an `(N, 4)` array of xyxy pixels; or a tidy table with columns frame, view, x1, y1,
                x2, y2; or a path to a file that `selfmva.io` reads. None with a dataset.
            cameras: A calibration that exists, so that none is searched: one `selfmva.geometry.cameras.Camera` a view,
                in a world whose z points up and is 0 on the floor, or its `(3, 4)` projection, or a `(3, 3)` homography
                from pixels to the floor; by name, or a file that `selfmva.geometry.camera_files.read_cameras` reads;
                None where a camera is not known. Floor, cameras and poses are in its unit. Or a part of one:
                `selfmva.geometry.intrinsics.Intrinsics` of lenses, which are held while the rest is searched.
            checkpoint: File that keeps the state of the training, so that it can be resumed; its folder must exist.
            resume: Go on from `checkpoint` where it exists.
            progress: Called as `progress(task, completed, total)`; tasks are `"look"` (instants, where there is an
                encoder of appearance), `"calibrate"` (views on the floor) and `"fit"` (steps of the training). None:
                nobody is told.
            callbacks: Called after every step with a `StepState`; an exception of one ends the training, and is raised.

        Returns:
            self

        Raises:
            InputError: Views or boxes are wrong; names instant, view and row. Most boxes are bad, or in other units
                than pixels. Or another argument is wrong.
            PluginError: The dataset breaks its contract (see `selfmva.datasets.check_adapter`), or raises something.
            DataError: A file is missing, damaged, or cannot be written.
            CheckpointError: `resume` with a checkpoint that is damaged or of another training.

        Warns:
            LearntNothingWarning: No geometry is trusted, held-out instants are told apart no better than by chance, and
                appearance tells nothing.
            BadBoxWarning: Boxes were left out, see `on_bad_box`.
            BoxUnitsWarning: Boxes look as if they were of images of another size.
            TrackIdsWarning: Track ids are no tracks, and are ignored.
            GeometryMissingWarning: No geometry is trusted; people are told apart by what they look like alone.
            RigChangedWarning: Boxes contradict the cameras that were given. Or views changed during the recording:
                names them, the kind and the instant, and what was learnt from.
        """
        started = time.monotonic()
        config = self._config
        check_device(config.device)  # before the work: what is wrong is known now
        watch = read_watch(progress, callbacks, checkpoint, resume)
        rig, frames = read_recording(views, boxes, config.on_bad_box)
        given, lenses = split_lenses(None if cameras is None else resolve_cameras(cameras, rig))
        dropped, frames = sum(frame.dropped for frame in frames), with_usable_tracks(frames, rig)
        frames, doubles, doubled = without_learnt_doubles(frames, len(rig))
        extractor = FeatureExtractor(config.appearance, config.device)
        with limited_threads(config.threads):
            frames = extractor.describe_recording(frames, views, rig, partial(watch.progress, "look"))
            identity = None if feature_length(frames) is None else extractor.identity()  # before the work, too
            recording = CanonicalRecording.of(rig, frames, config)
            found = calibrate(
                recording.views,
                recording.frames,
                config.geometry if given is None else config.geometry.model_copy(update={"floor": False}),
                partial(match_by_appearance, minimum_shift=config.recipe.minimum_shift),
                partial(watch.progress, "calibrate"),
                None if lenses is None else [lenses[view] for view in recording.order],
            )
            frames = found.frames
            if given is None:
                known = find_body_cameras(
                    recording.views, frames, found.floor, config.skeleton, partial(watch.progress, "calibrate")
                )
            else:
                ordered = [given[view] for view in recording.order]
                known = take_cameras(recording.views, frames, ordered, config.geometry.body_height)
            floor, mirrored = known.floor, found.mirrored if known.mirrored is None else known.mirrored
            if floor is not None and given is None and config.geometry.body_height is not None:
                floor = replace(floor, unit=config.geometry.body_height)
            choice = choose_embedding(recording.views, frames, floor, config.recipe)
        model = FittedModel(recording.views, config, found.clock_offsets, None, floor, mirrored=mirrored)
        model = replace(model, cameras=known.cameras, joints=known.joints)
        model = replace(model, doubles=None if doubles is None else doubles.reordered(recording.order))
        held_out = None
        if choice.train:
            from selfmva.training.fit_encoder import fit_encoder  # torch, which a floor alone needs not

            with limited_threads(config.threads):
                trained = fit_encoder(recording.views, frames, recording.config, watch, floor)
            model, held_out = replace(model, encoder=trained.encoder), trained.held_out
        with limited_threads(config.threads):
            model = learn(model, frames, identity, trained_on=True, held_out=held_out, decision=choice.reason)
            model = learn_good_part(model, frames, identity, held_out=held_out)
        self._extractor = extractor
        others = [[recording.views[view].name for view in group] for group in found.other_floors]
        model = model.reordered(recording.places)
        self._keep(with_report(model, time.monotonic() - started, dropped, doubled, other_floors=others))
        warn_of_contradiction(recording.views, known.contradicted)
        warn_of_doubts(self.model_)
        return self

    def adapt(self, boxes: BoxesLike) -> Self:
        """Refine the floor and learn anew what distances mean, on other boxes of the same cameras; without labels.

        For another detector, another day, a nudged camera. `fit_report_.moved` says how far each view's picture of the
        floor moved. The embedding stays as it is. Where the new boxes don't support it, or contradict what was learnt
        in a way that cannot be put right (see `check`), nothing changes and a warning says so.

        Args:
            boxes: As for `fit`, of the same cameras; a minute or so.

        Returns:
            self

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: Boxes are wrong; names instant, view and row.

        Warns:
            LearntNothingWarning: The new boxes don't support the floor, or are told apart no better than by chance.
            RigChangedWarning: The new boxes contradict what was learnt; names views, kind and instant, and whether it
                was put right. Or views changed, or cameras moved, while these boxes were filmed.
        """
        started = time.monotonic()
        old = self._require_model("adapt() needs a fitted associator")
        given = resolve_boxes(boxes, old.views, self._config.on_bad_box)
        dropped, given = sum(frame.dropped for frame in given), with_usable_tracks(given, old.views)
        frames = [self._reader.read(frame, t, self._config.on_bad_box) for t, frame in enumerate(given)]
        with limited_threads(self._config.threads):
            identity = None if feature_length(frames) is None else self._extractor.identity()
            frames, doubles, doubled = without_learnt_doubles(frames, len(old.views))
            found = adapt_model(replace(old, doubles=doubles), frames, identity)
        if found.contradiction:
            warnings.warn(
                f"adapt() changed nothing, the new boxes contradict what was learnt: {found.contradiction}",
                RigChangedWarning,
                stacklevel=2,
            )
            return self
        if found.repaired:
            warnings.warn(
                f"adapt() puts right what no longer fitted: {found.repaired}", RigChangedWarning, stacklevel=2
            )
        model = found.model
        if found.unsupported:
            warnings.warn(
                "adapt() changed nothing, the new boxes don't support it: "
                f"{model.report and model.report.summary()}. Give more instants, or fit() anew if a camera has moved.",
                LearntNothingWarning,
                stacklevel=2,
            )
            return self
        if old.card is not None:  # its figures were of what was learnt before, its licence holds
            model = replace(model, card=old.card.model_copy(update={"metrics": {}, "evaluated_on": ""}))
        self._keep(with_report(model, time.monotonic() - started, dropped, doubled, found.moved))
        warn_of_changes(self.model_)
        return self

    def check(self, frames: BoxesLike) -> Health:
        """Say whether boxes still fit what was learnt; nothing is changed.

        What every view shows is compared with what it showed in `fit`. Where it falls behind by more than it ever did,
        what would explain that is tried: cameras that were swapped, mirrored or knocked, boxes of another size, clocks,
        and so on.

        Args:
            frames: As for `fit`, of the same cameras; a minute or so, in the order of time.

        Returns:
            The views with what is wrong with them, since when, and what to do; it prints as a table.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: Boxes are wrong; names instant, view and row.

        Example:
            >>> from selfmva.datasets.simulated import Simulated
            >>> scene = Simulated(views=3, people=6, instants=200, seed=0)
            >>> associator = Associator(recipe="geometry").fit(scene)
            >>> associator.check([scene.frame(t) for t in scene.splits["test"]]).ok
            True
        """
        model = self._require_model("check() needs a fitted associator")
        on_bad_box = self._config.on_bad_box
        entries = enumerate(resolve_boxes(frames, model.views, on_bad_box))
        with limited_threads(self._config.threads):
            read = (self._reader.read(entry, number, on_bad_box) for number, entry in entries)
            return check_frames(model, chain.from_iterable(single_frames(model, part) for part in chunks(read)))

    def associate(self, frame: FrameLike) -> Association:
        """Say who is who at one instant.

        Args:
            frame: A `Frame`, or one `(N, 4)` array of xyxy pixels per view; empty or None where nobody is seen. Or a
                dictionary `{name of the view: boxes}`, in which views that saw nobody may be missing.

        Returns:
            Ids, matches and probabilities.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: Another number of views than was fitted, or a box that is none where `on_bad_box` is
                `"raise"`, or most are; names view and row.

        Warns:
            BadBoxWarning: A box is none: it keeps its place in the answer, with id -1 and probability 0.
            BoxUnitsWarning: Boxes look as if they were in other units than pixels of their views.
        """
        return self.associate_numbered(frame, 0)

    def associate_numbered(self, frame: FrameLike, number: int, watch: BadBoxWatch | None = None) -> Association:
        """As `associate`, of one instant of a stream.

        Args:
            frame: The instant.
            number: Its number, where the frame has none of its own.
            watch: Counts the bad boxes of the stream; None: of this instant alone.
        """
        model = self._require_model("associate() needs a fitted associator")
        watch = BadBoxWatch(model.views) if watch is None else watch
        read = self._reader.read(frame, number, self._config.on_bad_box, watch)
        return self._associate(model, [read])[0][0]

    def associate_many(self, frames: Iterable[FrameLike], *, threads: int | None = None) -> Iterator[Association]:
        """Say who is who at every instant of a stream; memory does not grow with its length.

        Meanwhile it is watched whether the cameras still fit what was learnt, see `check`. What is noticed is logged
        once; it is in `problems` of the associations from then on, and in `health_`.

        Args:
            frames: As for `associate`; sequences of arrays are numbered from 0.
            threads: How many pieces of the stream are worked on at once, with the same results; None: those of the
                associator. While there are several, NumPy's products of matrices use one thread each, yours too.

        Yields:
            One association per frame, in order.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: See `associate`.

        Warns:
            BadBoxWarning: A box is none, the first of the stream; see `associate`.
        """
        model = self._require_model("associate_many() needs a fitted associator")
        stream = each_frame(frames)
        threads = self._config.threads if threads is None else integer(threads, "threads", least=1, most=MOST_THREADS)
        read = partial(self._reader.read, on_bad_box=self._config.on_bad_box, watch=BadBoxWatch(model.views))
        parts = chunks(read(entry, number) for number, entry in enumerate(stream))
        # Several threads of ours must not be multiplied by those of products of matrices, which are everybody's.
        with limited_threads(1, shared_only=True) if threads > 1 else nullcontext():
            done = map_in_order(partial(self._associate, model), parts, threads)
            if model.profile is None:
                self._watch = None
                yield from (association for part, _, _ in done for association in part)
            else:
                self._watch = watch = Watch(model)
                yield from watched(done, watch)

    def track(self, frames: Iterable[FrameLike], *, progress: ProgressHook | None = silent) -> Tracks:
        """Say who is who over a whole recording: ids that last over all views and all times.

        How people move, and how they come and go, is learnt from the recording itself; see `selfmva.tracking`. For a
        live stream there is `selfmva.Tracker`.

        Args:
            frames: As for `associate_many`, in the order of time.
            progress: Called as `progress("track", completed, total)`, in instants of several rounds; None: nobody is
                told.

        Returns:
            Ids of all boxes at all instants.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`, or of a converted checkpoint before `adapt`.
            InputError: See `associate_many`; or instants are out of order, or there twice.

        Example:
            >>> from selfmva.datasets.simulated import Simulated
            >>> scene = Simulated(views=3, people=4, instants=200, seed=0)
            >>> tracks = Associator(recipe="geometry").fit(scene).track(scene.frame(t) for t in range(100, 200))
            >>> len(tracks)
            100
        """
        model = self._require_model("track() needs a fitted associator")
        watch = read_watch(progress, (), None, False)
        with limited_threads(1):
            return track_associations(model, self.associate_many(frames), partial(watch.progress, "track"))

    def poses(self, frame: FrameLike) -> Poses3D:
        """Say where the joints of people are at one instant, in three dimensions.

        Bodies are associated, and joints triangulated by the views that agree; see `selfmva.pose.triangulation`.

        Args:
            frame: A `Frame` with keypoints.

        Returns:
            The people whom two views or more show, in the unit of the floor.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`, or no two cameras are known.
            InputError: See `associate`; or the frame has no keypoints.

        Example:
            >>> from selfmva.datasets.simulated import Simulated
            >>> scene = Simulated(views=3, people=4, instants=200, seed=0, skeleton="coco17")
            >>> associator = Associator(recipe="geometry").fit(scene)
            >>> associator.poses(scene.frame(150)).joints.shape[1:]
            (17, 3)
        """
        model = self._require_model("poses() needs a fitted associator")
        cameras = require_cameras(model)
        return find_poses(self.associate(frame), cameras, model.config.skeleton, model.unit)

    def poses_many(self, frames: Iterable[FrameLike] | Tracks) -> Iterator[Poses3D]:
        """Say where the joints of people are at every instant of a stream, or of `Tracks`, whose ids last.

        Args:
            frames: As for `associate_many`, with keypoints; or what `track` gave.

        Yields:
            Poses, instant by instant; see `poses`.

        Raises:
            NotFittedError: See `poses`.
            InputError: See `poses`.
        """
        model = self._require_model("poses_many() needs a fitted associator")
        cameras = require_cameras(model)
        found = iter(frames) if isinstance(frames, Tracks) else self.associate_many(frames)
        return (find_poses(one, cameras, model.config.skeleton, model.unit) for one in found)

    @property
    def cameras_(self) -> tuple[Camera | None, ...]:
        """Per view its camera in the unit of the floor, z up, 0 on the floor; None where it is not known."""
        return cameras_of_model(self._require_model("cameras_ are found by fit(), which"))

    @property
    def health_(self) -> Health:
        """What the watch over the last stream of `associate_many` has seen so far; see `check`."""
        model = self._require_model("health_ is of a stream, which")
        if self._watch is not None:
            return self._watch.health()
        nothing = "no stream was associated yet" if model.profile is not None else NO_PROFILE
        return Health(unknown=tuple(view.name for view in model.views), note=nothing)

    def embed(self, view: int, boxes: ArrayLike) -> NDArray[np.float32]:
        """Geometric embeddings of boxes; near where two boxes may be the same person.

        Args:
            view: Number of the view.
            boxes: `(N, 4)` xyxy in pixels; they may stick out of the image.

        Returns:
            `(N, 768)` float32.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`, or fitted without an embedding.
            InputError: There is no such view, or a box is none.
        """
        model = self._require_model("embed() needs a fitted associator")
        if model.encoder is None:
            raise NotFittedError(
                "embed() needs an embedding, and this associator was fitted without one (recipe "
                f"{model.config.recipe.name!r}): fit with recipe='batch', or use associate(), which needs none"
            )
        view = view_number(view, len(model.views))
        with limited_threads(self._config.threads):
            return model.encoder.embed(validate_boxes(boxes, view=view), view).cpu().numpy()

    @classmethod
    def from_model(cls, model: FittedModel, *, device: str = "cpu") -> Self:
        """An associator that has learnt.

        Args:
            model: Everything that was learnt.
            device: As for `Associator`.

        Returns:
            A fitted associator.

        Raises:
            InputError: Fewer than two views, or two of one name; or no model.
        """
        if not isinstance(model, FittedModel):
            raise InputError(f"from_model() needs a FittedModel, such as associator.model_, got {shown(model)}")
        check_device(device)  # a wrong name is known now, whether anything runs there or not
        config = model.config.model_copy(update={"device": device})
        encoder = None if model.encoder is None else model.encoder.to(find_device(device))
        associator = cls(**{name: getattr(config, name) for name in AssociatorConfig.model_fields})
        associator._keep(replace(model, views=resolve_views(model.views), config=config, encoder=encoder))
        return associator

    def _keep(self, model: FittedModel) -> None:
        """Take over what was learnt."""
        super()._keep(model)
        self._extractor.learnt_by = model.appearance
        self._reader = FrameReader(model, self._extractor)

    def _waiting(self) -> list[str]:
        return [] if self._model is None else waiting_parameters(self._model.config, self._config)

    def __repr__(self) -> str:
        state = "not fitted" if self._model is None else f"fitted on {len(self._model.views)} views"
        if waiting := self._waiting():
            state += f", {' and '.join(waiting)} set for the next fit"
        return f"Associator(recipe={self._config.recipe.name!r}, seed={self._config.seed}, {state})"

    def _associate(
        self, model: FittedModel, frames: list[Frame]
    ) -> tuple[list[Association], list[Frame], Tally | None]:
        """Answers to frames; the same frames without bad boxes and doubles, and what these show."""
        good = [without_bad_boxes(frame) for frame in frames]
        with limited_threads(1):  # frames are small: threads are for several chunks of them
            found, single, tally = associate_and_tally(model, good)
        return [with_left_out(one, frame) for one, frame in zip(found, frames, strict=True)], single, tally
