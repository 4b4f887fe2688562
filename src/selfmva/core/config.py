"""Hyper-parameters: one frozen model per stage, and the only home of defaults."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from selfmva.core.messages import shown
from selfmva.core.threads import MOST_THREADS
from selfmva.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

StageT = TypeVar("StageT", bound="Stage")
# Those of `selfmva.core.skeletons`, which needs NumPy.
SkeletonName = Literal["coco17", "body25", "panoptic15", "panoptic19", "halpe26", "shelf14", "mvor10"]
MOST_STEPS = 10**7  # of a training: days
MOST_INSTANTS = 10**6  # between two: a day at ten a second


def _plain(value: Any) -> Any:
    """What a scalar of NumPy holds; anything else as it is."""
    numpy = sys.modules.get("numpy")  # whoever holds one has imported it
    known = numpy is not None and isinstance(value, numpy.number | numpy.bool_ | numpy.str_)
    return value.item() if known else value


class Stage(BaseModel):
    """Base of all stages: frozen; a misspelt name is an error, and so is a value of another type, NaN or infinity.

    A scalar of NumPy is what it holds, a whole number may stand for a float; "3", True and 3.0 are no whole numbers.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    # Names of today by those that fields once had: saved configs and older programs have them.
    renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @model_validator(mode="before")
    @classmethod
    def _read_as_given(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return cls.with_current_names({name: _plain(value) for name, value in values.items()})

    @model_validator(mode="after")
    def _refuse_half_letters(self) -> Self:
        """A text that no file can hold would fail when all is learnt, and saved."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            try:
                "".join(value if isinstance(value, dict) else [value] if isinstance(value, str) else []).encode()
            except UnicodeEncodeError as error:
                raise ValueError(f"{name} holds half a letter (a lone surrogate), which no file can hold") from error
        return self

    @classmethod
    def with_current_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Values by the names of today, where they come by older ones; a field that comes by both is left alone."""
        old = {name for name in values.keys() & cls.renamed.keys() if cls.renamed[name] not in values}
        return {cls.renamed[name] if name in old else name: value for name, value in values.items()}


class EncoderConfig(Stage):
    """The geometric encoder (paper, section 3.2)."""

    prompt: Literal["box", "point"] = Field(
        "box", description="What of a box is encoded: its two corners, or its foot (bottom centre) alone."
    )
    corner_features: Literal["random", "sam"] = Field(
        "random",
        description="Fourier matrix and corner embeddings: seeded random numbers, or those of SAM ViT-H.",
    )


class PublishedRecipe(Stage):
    """The published schedule: triplets (anchor, positive, negative), one a step (paper, sections 3.3 and 4.2)."""

    renamed: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"appearance_share": "appearance_fraction", "held_out_share": "held_out_fraction"}
    )
    name: Literal["published"] = "published"
    epochs: int = Field(
        80, ge=1, le=MOST_STEPS, description="Passes over the instants; published: WILDTRACK 1200, MVOR 80."
    )
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Adam's step size, times 0.1 from three quarters on.")
    minimum_shift: int = Field(
        5, ge=1, le=MOST_INSTANTS, description="Least distance in time of a negative, in instants."
    )
    maximum_shift: int = Field(
        19, ge=1, le=MOST_INSTANTS, description="Largest distance in time of a negative, in instants."
    )
    margin: float = Field(1.0, ge=0, le=1000, description="Margin of the triplet losses.")
    similarity_threshold: float = Field(
        0.0, ge=0, le=1, description="Matches less similar than this do not count in the image distance."
    )
    edges: bool = Field(True, description="Compare pairs of people through virtual boxes, too.")
    reprojection: bool = Field(True, description="Let the embedding reproduce its own box.")
    anchor_view: int | None = Field(None, ge=0, description="Number of the view that is always the anchor.")
    appearance_fraction: float = Field(
        0.1, ge=0, le=1, description="Weight of appearance in the matching of two images, where boxes have features."
    )
    average_from: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The result is the mean of the weights after each epoch from this fraction of the schedule on; the "
        "published code keeps its best epoch instead, which takes labels to know. 1: the last weights alone.",
    )
    held_out_fraction: float = Field(
        0.0, ge=0, le=0.5, description="Fraction of the instants kept from training, for the report and the posterior."
    )


class BatchSchedule(Stage):
    """Many instants a step, every synchronous and shifted pair of them at once."""

    renamed: ClassVar[Mapping[str, str]] = MappingProxyType({"held_out_share": "held_out_fraction"})
    steps: int = Field(800, ge=1, le=MOST_STEPS, description="Optimizer steps.")
    instants: int = Field(
        32, ge=2, le=1024, description="Largest number of instants of a step; all pairs are compared."
    )
    boxes: int = Field(
        200, ge=1, le=10_000, description="Crowded recordings take fewer instants a step, about so many boxes."
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Largest step size of Adam; warm-up, then cosine decay.")
    minimum_shift: int = Field(
        5, ge=1, le=MOST_INSTANTS, description="Instants closer than this in time are not told apart."
    )
    temperature: float = Field(2.0, ge=0.001, le=1000, description="Distances are divided by it in the cross-entropy.")
    jitter: float = Field(
        0.05, ge=0, le=0.5, description="Noise on the corners of the boxes, as a fraction of the box's size."
    )
    reprojection: bool = Field(True, description="Let the embedding reproduce its own box.")
    anchor_view: int | None = Field(None, ge=0, description="Number of the view that takes part in every pair.")
    held_out_fraction: float = Field(
        0.1, ge=0, le=0.5, description="Fraction of the instants kept from training, for the report and the posterior."
    )


class BatchRecipe(BatchSchedule):
    """Our schedule: an embedding is trained, whatever geometry was found."""

    name: Literal["batch"] = "batch"


class AutoRecipe(BatchSchedule):
    """The default: geometry first, and the schedule of the batch recipe where geometry leaves views without a place.

    See `selfmva.association.embedding_choice`; the report says what was decided, and why.
    """

    name: Literal["auto"] = "auto"


class GeometryRecipe(Stage):
    """No embedding is trained: the floor and appearance alone, in a fraction of the time and a hundredth of the space.

    For crowds on a visible floor, where an embedding adds nothing (docs/benchmarks.md). Where floors are hidden, head
    lines are found by an embedding, and this recipe finds nothing.
    """

    name: Literal["geometry"] = "geometry"
    minimum_shift: int = Field(
        5, ge=1, le=MOST_INSTANTS, description="Instants closer than this in time are not told apart."
    )


TrainingRecipe = PublishedRecipe | BatchRecipe | AutoRecipe
Recipe = Annotated[PublishedRecipe | BatchRecipe | GeometryRecipe | AutoRecipe, Field(discriminator="name")]


class GeometryConfig(Stage):
    """Self-calibration."""

    floor: bool = Field(default=True, description="Whether to look for the common floor of the cameras.")
    clock_bound: int = Field(
        0,
        ge=0,
        le=MOST_INSTANTS,
        description="Largest number of instants that clocks of two views may be apart; 0: they agree.",
    )
    correct_clock: bool = Field(
        default=False, description="Whether fit() learns from the recording by the clocks that it found."
    )
    body_height: float | None = Field(
        None, gt=0, description="Mean height of the people in metres; then the floor is in metres, not in body heights."
    )


class AppearanceConfig(Stage):
    """What people look like."""

    encoder: str | None = Field(
        None,
        min_length=1,
        description="'osnet-ain', 'osnet-ain:weights.pt', 'onnx:re-id.onnx' or 'torchvision:resnet50' (see "
        "selfmva.encoders.open_appearance); None: only features that boxes bring along.",
    )
    cache: bool = Field(default=True, description="Whether fit() keeps features on the disk for the next time.")


class AssociationConfig(Stage):
    """From probabilities to groups."""

    threshold: float = Field(0.5, ge=0, lt=1, description="Boxes are joined where their posterior is above this.")


class AssociatorConfig(Stage):
    """Everything that `Associator(...)` takes."""

    seed: int = Field(0, ge=0, lt=2**31, description="Every random choice comes from it.")
    device: str = Field("cpu", description="'cpu', 'cuda', 'cuda:1', or 'auto' for the GPU where there is one.")
    threads: int = Field(
        1,
        ge=1,
        le=MOST_THREADS,
        description="CPU threads, of whatever library. Streams of frames are worked on by all of them. Steps of a "
        "training are small: more threads gain little there on an idle machine and lose much on a busy one.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="'bfloat16' trains under automatic mixed precision."
    )
    on_bad_box: Literal["drop", "raise"] = Field(
        "drop",
        description="Boxes without area, not finite or wholly outside their image are left out, counted and warned of "
        "once ('drop'), or are an error ('raise').",
    )
    skeleton: SkeletonName | None = Field(
        None, description="Which joints keypoints are. None: as their number tells, where frames have any."
    )
    encoder: EncoderConfig = Field(default_factory=EncoderConfig, description="The geometric encoder.")
    recipe: Recipe = Field(default_factory=AutoRecipe, description="Whether and how the encoder is trained.")
    geometry: GeometryConfig = Field(default_factory=GeometryConfig, description="Self-calibration.")
    appearance: AppearanceConfig = Field(default_factory=AppearanceConfig, description="What people look like.")
    association: AssociationConfig = Field(
        default_factory=AssociationConfig, description="How probabilities become groups."
    )


RECIPES: dict[str, type[PublishedRecipe | BatchRecipe | GeometryRecipe | AutoRecipe]] = {
    "auto": AutoRecipe,
    "published": PublishedRecipe,
    "batch": BatchRecipe,
    "geometry": GeometryRecipe,
}


def build(stage: type[StageT], values: dict[str, Any]) -> StageT:
    """Validate `values` into a stage.

    Args:
        stage: The model to build.
        values: Its fields by name; nested stages as models or dictionaries.

    Returns:
        The frozen stage.

    Raises:
        ConfigError: A field is unknown, of the wrong type or out of range; names the field and what is allowed.

    Example:
        >>> build(AssociationConfig, {"threshold": 0.7}).threshold
        0.7
    """
    try:
        return stage.model_validate(values)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"]) or stage.__name__
            if problem["type"] == "extra_forbidden":
                problems.append(f"{where} is unknown; known are {', '.join(sorted(stage.model_fields))}")
            else:
                problems.append(f"{where}: {problem['msg']}, got {shown(problem['input'])}")
        raise ConfigError("; ".join(problems)) from None
