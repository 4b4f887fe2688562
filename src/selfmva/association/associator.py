"""Associator: learn from a recording, then say who is who. It orchestrates; the maths is elsewhere."""

from __future__ import annotations

import time
import warnings
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from selfmva.association.appearance.matches import match_by_appearance
from selfmva.association.cues import Rig, embed_frames
from selfmva.association.learning import gather_evidence
from selfmva.association.pretrained import Pretrained, SavedAssociator
from selfmva.association.recording_argument import read_recording
from selfmva.association.streaming import associate_frames, chunks
from selfmva.core.config import RECIPES, AssociatorConfig, build
from selfmva.core.devices import find_device
from selfmva.core.packed_boxes import feature_length
from selfmva.core.threads import limited_threads, map_in_order
from selfmva.core.types import Frame, View, clip_to_views, validate_boxes
from selfmva.errors import ConfigError, GeometryMissingWarning, InputError, LearntNothingWarning, NotFittedError
from selfmva.geometry.calibration import calibrate, recalibrate_floor
from selfmva.io.boxes.argument import resolve_boxes
from selfmva.io.video.view_argument import resolve_views
from selfmva.perception.features import Looker
from selfmva.training.callbacks import Callback, ProgressHook, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.association.association import Association
    from selfmva.association.fit_report import FitReport
    from selfmva.association.learning import Evidence, Tables
    from selfmva.core.config import AppearanceConfig, AssociationConfig, EncoderConfig, GeometryConfig, Recipe
    from selfmva.core.types import FloatArray
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.calibration import Movement
    from selfmva.geometry.floor import Floor
    from selfmva.io.boxes.argument import BoxesLike
    from selfmva.io.video.view_argument import ViewLike

    FrameLike = Frame | Sequence[ArrayLike | None]


class Associator(Pretrained):
    """Learns which boxes of several fixed, synchronized cameras are the same person, without labels.

    Args:
        seed: Every random choice comes from it.
        recipe: How the embedding is trained: `"batch"` (the default), `"published"`, or not at all: `"geometry"`; or
            a `BatchRecipe`, `PublishedRecipe` or `GeometryRecipe`, or a dictionary of its fields with `name`.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"` for the GPU where there is one.
        precision: `"float32"`, or `"bfloat16"` to train under automatic mixed precision.
        threads: CPU threads; see `AssociatorConfig`.
        encoder: An `EncoderConfig` or a dictionary of its fields.
        geometry: A `GeometryConfig` or a dictionary of its fields.
        appearance: Name of an encoder of what people look like (`"osnet-ain"`, `"onnx:re-id.onnx"`,
            `"torchvision:resnet50"`), or an `AppearanceConfig` or a dictionary of its fields. None: only features that
            frames bring along are used.
        association: An `AssociationConfig` or a dictionary of its fields.

    Attributes:
        views_: The cameras.
        card_: What `save_pretrained` was told of the rig, a `selfmva.hub.Card`; None where nothing.
        encoder_: The trained encoder; None with the recipe `"geometry"`.
        floor_: The common floor of the cameras, a `selfmva.geometry.floor.Floor`; None where none was found.
        lines_: Fundamental matrices of head points, for view pairs without a floor, where they are trusted.
        tables_: What distances mean, for every view pair; None for a converted checkpoint before `adapt`.
        appearance_: Identity of the encoder by whose features likeness was learnt, `"frames"` for features that frames
            brought along; None where appearance tells nothing.
        clock_offsets_: `(V,)` int64 instants, found where `geometry.clock_bound` asks for them: view v shows at instant
            t what view 0 shows at t + offset. `selfmva.geometry.align_frames.align_frames` brings other frames in line.
        fit_report_: What was learnt.

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

    views_: tuple[View, ...]
    encoder_: BoxEncoder | None
    clock_offsets_: NDArray[np.int64]
    floor_: Floor | None
    lines_: Mapping[tuple[int, int], FloatArray]
    tables_: Tables | None
    fit_report_: FitReport

    def __init__(  # noqa: PLR0913  # one for each stage
        self,
        *,
        seed: int = 0,
        recipe: str | Recipe | dict[str, Any] = "batch",
        device: str = "cpu",
        precision: str = "float32",
        threads: int = 1,
        encoder: EncoderConfig | dict[str, Any] | None = None,
        geometry: GeometryConfig | dict[str, Any] | None = None,
        appearance: str | AppearanceConfig | dict[str, Any] | None = None,
        association: AssociationConfig | dict[str, Any] | None = None,
    ) -> None:
        if isinstance(recipe, str):
            if recipe not in RECIPES:
                raise ConfigError(f"recipe must be one of {', '.join(map(repr, RECIPES))}, got {recipe!r}")
            recipe = RECIPES[recipe]()
        given = {"seed": seed, "recipe": recipe, "device": device, "precision": precision, "threads": threads}
        looks = {"encoder": appearance} if isinstance(appearance, str) else appearance
        stages = {"encoder": encoder, "geometry": geometry, "appearance": looks, "association": association}
        self._config = build(AssociatorConfig, given | {k: v for k, v in stages.items() if v is not None})
        self._looker = Looker(self._config.appearance, device)

    @property
    def appearance_(self) -> str | None:
        """See the class."""
        self._check_fitted("appearance_")
        return self._looker.learnt_by

    def get_params(self) -> dict[str, Any]:
        """Hyper-parameters by name; `Associator(**associator.get_params())` is an equal, unfitted one."""
        return {name: getattr(self._config, name) for name in AssociatorConfig.model_fields}

    def set_params(self, **params: Any) -> Self:
        """Change hyper-parameters. What was learnt stays: all but `association` wait for the next `fit`.

        Args:
            **params: As for `Associator`.

        Returns:
            self

        Raises:
            ConfigError: A hyper-parameter is unknown or out of range; none is changed.

        Example:
            >>> careful = Associator.from_pretrained("wildtrack").set_params(association={"threshold": 0.9})
            >>> careful.get_params()["association"].threshold
            0.9
        """
        unknown = sorted(params.keys() - AssociatorConfig.model_fields.keys())
        if unknown:
            raise ConfigError(f"{unknown[0]} is unknown; known are {', '.join(sorted(AssociatorConfig.model_fields))}")
        other = type(self)(**self.get_params() | params)
        self._config = other._config
        self._looker = Looker(self._config.appearance, self._config.device, self._looker.learnt_by)
        return self

    def fit(
        self,
        views: Sequence[ViewLike] | MultiViewDataset,
        boxes: BoxesLike | None = None,
        *,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: ProgressHook = silent,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Learn from a recording; no identity is ever read.

        Args:
            views: One entry per camera: a `View`, a bare `(width, height)`, a folder of images, a video file, or an
                array `(T, H, W, 3)` uint8. Or a dataset, whose training split is read (everything, where it has none).
            boxes: `boxes[t][v]`, an `(N, 4)` array of xyxy pixels; or a tidy table with columns frame, view, x1, y1,
                x2, y2; or a path to a file that `selfmva.io` reads. None with a dataset.
            checkpoint: File that keeps the state of the training, so that it can be resumed.
            resume: Go on from `checkpoint` where it exists.
            progress: Called as `progress(task, completed, total)`; tasks are `"look"` (instants, where there is an
                encoder of appearance), `"calibrate"` (view pairs) and `"fit"` (steps of the training).
            callbacks: Called after every step with a `StepState`.

        Returns:
            self

        Raises:
            InputError: Views or boxes are wrong; names instant, view and row.
            DataError: A file is missing, damaged, or cannot be written.
            CheckpointError: `resume` with a checkpoint that is damaged or of another training.

        Warns:
            LearntNothingWarning: No geometry is trusted, held-out instants are told apart no better than by chance, and
                appearance tells nothing.
            GeometryMissingWarning: No geometry is trusted; people are told apart by what they look like alone.
        """
        from selfmva.training.fit_encoder import fit_encoder
        from selfmva.training.loop import Watch

        started = time.monotonic()
        find_device(self._config.device)  # before the work: a wrong name is known now
        cameras, frames = read_recording(views, boxes)
        watch = Watch(progress, callbacks, None if checkpoint is None else Path(checkpoint), resume)
        looker = Looker(self._config.appearance, self._config.device)
        with limited_threads(self._config.threads):
            frames = looker.look_at_recording(frames, views, cameras, partial(progress, "look"))
            feature_length(frames)  # before the work, too
            geometry = self._config.geometry
            offsets, frames, floor = calibrate(
                cameras,
                frames,
                geometry,
                partial(match_by_appearance, minimum_shift=self._config.recipe.minimum_shift),
                partial(progress, "calibrate"),
            )
            trained = fit_encoder(cameras, frames, self._config, watch, floor)
            evidence = gather_evidence(
                trained.encoder,
                floor,
                cameras,
                frames,
                minimum_shift=self._config.recipe.minimum_shift,
                trained_on=True,
                held_out=trained.held_out,
            )
        self.clock_offsets_ = offsets
        clocks = {view.name: int(offset) for view, offset in zip(cameras, offsets, strict=True)}
        report = replace(evidence.report, clock_offsets=clocks if geometry.clock_bound else {})
        self._looker, self.card_ = looker, None
        self._keep(replace(evidence, report=report), time.monotonic() - started)
        if evidence.rig.appearance and not report.geometry_found:
            warnings.warn(
                f"fit() found no geometry, people are told apart by what they look like alone: {report.advice()}.",
                GeometryMissingWarning,
                stacklevel=2,
            )
        if not evidence.report.better_than_chance:
            warnings.warn(
                f"fit() learnt nothing that could be told from chance: {evidence.report.summary()}. Film longer, make "
                "sure that the cameras are fixed and synchronized and see the same people, or train for more steps.",
                LearntNothingWarning,
                stacklevel=2,
            )
        return self

    def adapt(self, boxes: BoxesLike) -> Self:
        """Refine the floor and learn anew what distances mean, on other boxes of the same cameras; without labels.

        For another detector, another day, a nudged camera. `fit_report_.moved` says how far each view's picture of the
        floor moved. The embedding stays as it is. Where the new boxes don't support it, nothing changes and a warning
        says so.

        Args:
            boxes: As for `fit`, of the same cameras; a minute or so.

        Returns:
            self

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: Boxes are wrong; names instant, view and row.

        Warns:
            LearntNothingWarning: The new boxes don't support the floor, or are told apart no better than by chance.
        """
        started = time.monotonic()
        self._check_fitted("adapt")
        frames = [self._looker.look_at(frame) for frame in resolve_boxes(boxes, self.views_)]
        floor = self.floor_
        moves: list[Movement] = []
        with limited_threads(self._config.threads):
            if self.floor_ is not None:
                floor, moves = recalibrate_floor(self.floor_, frames)
            evidence = gather_evidence(
                self.encoder_,
                floor,
                self.views_,
                frames,
                minimum_shift=self._config.recipe.minimum_shift,
                trained_on=False,
            )
        if (self.floor_ is not None and floor is None) or not evidence.report.better_than_chance:
            warnings.warn(
                f"adapt() changed nothing, the new boxes don't support it: {evidence.report.summary()}. Give more "
                "instants, or fit() anew if a camera has moved.",
                LearntNothingWarning,
                stacklevel=2,
            )
            return self
        self._keep(evidence, time.monotonic() - started, {move.view: move.distance for move in moves})
        if self.card_ is not None:  # its figures were of what was learnt before, its licence holds
            self.card_ = self.card_.model_copy(update={"metrics": {}, "evaluated_on": ""})
        return self

    def associate(self, frame: FrameLike) -> Association:
        """Say who is who at one instant.

        Args:
            frame: A `Frame`, or one `(N, 4)` array of xyxy pixels per view; empty or None where nobody is seen.

        Returns:
            Ids, matches and probabilities.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: Another number of views than was fitted, or a box that is none; names view and row.
        """
        self._check_fitted("associate")
        return self._associate([self._as_frame(frame, 0)])[0]

    def associate_many(self, frames: Iterable[FrameLike], *, threads: int | None = None) -> Iterator[Association]:
        """Say who is who at every instant of a stream; memory does not grow with its length.

        Args:
            frames: As for `associate`; sequences of arrays are numbered from 0.
            threads: How many pieces of the stream are worked on at once, with the same results; None: those of the
                associator.

        Yields:
            One association per frame, in order.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: See `associate`.
        """
        self._check_fitted("associate_many")
        parts = chunks(self._as_frame(entry, number) for number, entry in enumerate(frames))
        for part in map_in_order(self._associate, parts, self._config.threads if threads is None else threads):
            yield from part

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
        self._check_fitted("embed")
        if self.encoder_ is None:
            raise NotFittedError(
                "embed() needs an embedding, and this associator was fitted without one (recipe 'geometry'): fit with "
                "recipe='batch', or use associate(), which needs none"
            )
        if not 0 <= view < len(self.views_):
            raise InputError(f"there is no view {view}; views are 0 to {len(self.views_) - 1}")
        frame = Frame([validate_boxes(boxes, view=view)])
        with limited_threads(self._config.threads):
            return embed_frames(self.encoder_, [frame], first_view=view).cpu().numpy()

    def to_saved(self) -> SavedAssociator:
        """Everything that was learnt, to be saved.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
        """
        self._check_fitted("save_pretrained")
        return SavedAssociator(
            views=self.views_,
            params=self._config.model_dump(mode="json", exclude={"device"}),
            weights=None if self.encoder_ is None else self.encoder_.state_dict(),
            floor=self.floor_,
            lines=self.lines_,
            tables=self.tables_,
            report=getattr(self, "fit_report_", None),
            appearance=self._looker.learnt_by,
            card=self.card_,
        )

    @classmethod
    def from_saved(cls, saved: SavedAssociator, *, name: str, device: str = "cpu") -> Self:
        """Build an associator from its parts.

        Args:
            saved: Everything that was learnt.
            name: Where it comes from, for error messages.
            device: As for `Associator`.

        Returns:
            A fitted associator.

        Raises:
            CheckpointError: The weights are of another architecture.
        """
        if device != "cpu":
            find_device(device)  # a wrong name is known now, whether anything runs there or not
        associator = cls(device=device, **saved.params)
        associator.views_ = cameras = resolve_views(saved.views)
        associator.encoder_ = None
        if saved.weights is not None:
            import torch

            from selfmva.encoders.box import BoxEncoder
            from selfmva.training.checkpoint import check_architecture

            encoder = BoxEncoder(cameras, prompt=associator._config.encoder.prompt, generator=torch.Generator())
            check_architecture(name, encoder.state_dict(), saved.weights)
            encoder.load_state_dict(saved.weights)
            associator.encoder_ = encoder.to(find_device(device))
        associator.floor_, associator.lines_, associator.tables_ = saved.floor, saved.lines, saved.tables
        associator._looker = Looker(associator._config.appearance, device, saved.appearance)
        clocks = {} if saved.report is None else saved.report.clock_offsets
        associator.clock_offsets_ = np.array([clocks.get(view.name, 0) for view in cameras], dtype=np.int64)
        associator.card_ = saved.card
        if saved.report is not None:
            associator.fit_report_ = saved.report
        return associator

    def __getattr__(self, name: str) -> NoReturn:
        """Called where an attribute is missing: learnt ones end in `_`."""
        if name.endswith("_") and not name.startswith("_"):
            raise NotFittedError(f"{name} is learnt: call fit() or Associator.from_pretrained() first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        state = f"fitted on {len(self.views_)} views" if hasattr(self, "encoder_") else "not fitted"
        return f"Associator(recipe={self._config.recipe.name!r}, seed={self._config.seed}, {state})"

    def _check_fitted(self, call: str) -> None:
        if not hasattr(self, "encoder_"):
            raise NotFittedError(
                f"{call}() needs a fitted associator: call fit() or Associator.from_pretrained() first"
            )

    def _as_frame(self, entry: FrameLike, number: int) -> Frame:
        frame = entry if isinstance(entry, Frame) else Frame(entry, index=number)
        return self._looker.look_at(clip_to_views(frame, self.views_))

    def _associate(self, frames: list[Frame]) -> list[Association]:
        threshold = self._config.association.threshold
        seen = self._looker.learnt_by is not None
        rig = Rig(self.views_, self.encoder_, self.floor_, self.lines_, appearance=seen)
        # Frames are small: threads are for several chunks of them. Without an encoder, torch is not even imported.
        with limited_threads(1) if self.encoder_ is not None else nullcontext():
            return associate_frames(rig, frames, self.tables_, threshold)

    def _keep(self, evidence: Evidence, seconds: float, moved: Mapping[str, float] | None = None) -> None:
        """Take over what was learnt."""
        rig = evidence.rig
        self.views_, self.encoder_, self.floor_, self.lines_ = rig.views, rig.encoder, rig.floor, rig.lines
        self.tables_ = evidence.tables
        self._looker.learnt_by = self._looker.identity() if rig.appearance else None
        self.fit_report_ = replace(evidence.report, seconds=seconds, moved=dict(moved or {}))
