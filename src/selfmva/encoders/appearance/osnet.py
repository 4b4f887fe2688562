"""Appearance from OSNet-AIN, a re-ID network for cameras it has not seen (Zhou et al., 2021, arXiv:1910.06827)."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.core.paths import as_path
from selfmva.core.runtime.torch_archive import load_torch_archive
from selfmva.core.runtime.weight_file import read_weight_file
from selfmva.encoders.appearance.base import encode
from selfmva.encoders.appearance.crops import FORM, SIZE
from selfmva.encoders.appearance.torch import TorchNetwork
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from torch import Tensor, nn

    from selfmva.core.images import Image
    from selfmva.encoders.appearance.base import Features

OSNET_REPOSITORY, OSNET_FILE = "LibreYOLO/LibreReID-osnet", "osnet_ain_x1_0.pt"
SHA256 = "34c24e98b6b70c8b62480f846fd0d581aa2fd1535bc0276aecf1f10430b731d1"
FIRST = "conv1.conv.weight"  # what precedes it in a file precedes all weights
CLASSIFIER = "classifier."  # tells apart the people of the training data, and is left out
COUNTER = "num_batches_tracked"  # plays no part in what the network says; older files lack it
ANY = ", or say which one is meant: OsnetAin(path, sha256=...), None for any"
WRAPPERS = ("state_dict", "model", "model_state_dict")


class OsnetAin:
    """Appearance from OSNet-AIN x1.0, 512 numbers a box.

    Args:
        weights: A torch file with the weights, read with `weights_only=True`, so that no code in it is run; None: from
            the model hub, downloaded once.
        sha256: What the file must hash to: by default that of the file on the hub, which was trained on several data
            sets. None: any file, as far as it is an archive that `torch.save` wrote (since torch 1.6) and holds
            nothing but weights; older formats can run code, and are refused.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"` for the GPU where there is one.

    Attributes:
        identity: Hash of the file, and how crops are cut.
        size: Height and width of a crop in pixels.
        width: The length of a vector.

    Raises:
        CheckpointError: The file is missing, has another hash, could run code, is no weights, or those of another
            network.
        DataError: The weights cannot be downloaded: which file to place where.
        ConfigError: The device cannot be used.
    """

    def __init__(
        self, weights: str | os.PathLike[str] | None = None, *, sha256: str | None = SHA256, device: str = "cpu"
    ) -> None:
        path = _downloaded() if weights is None else as_path(weights, "weights")
        content, found = read_weight_file(path, sha256, "the weights of OSNet-AIN", ANY)
        state = load_torch_archive(io.BytesIO(content), path, known=sha256 is not None)
        self._network = TorchNetwork(_model(_by_name(state), path), SIZE, device)
        self.identity: str = f"osnet-ain {found} crops={FORM}"
        self.size: tuple[int, int] = self._network.size
        self.width: int = self._network.width

    def __call__(self, images: Sequence[Image], boxes: Sequence[ArrayLike]) -> list[Features]:
        """Encode the boxes of images; see `AppearanceEncoder`.

        Raises:
            InputError: An image or boxes of another type or shape, or not as many of one as of the other.
        """
        return encode(images, boxes, self._network, self.width)


def _downloaded() -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(OSNET_REPOSITORY, OSNET_FILE))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise DataError(
            f"the weights of OSNet-AIN cannot be downloaded ({error}): fetch {OSNET_FILE} of "
            f"https://huggingface.co/{OSNET_REPOSITORY} where there is a network, and give its path here "
            f"('osnet-ain:path/to/{OSNET_FILE}'), or copy the hub's cache of it, here {HF_HUB_CACHE}"
        ) from error


def _by_name(state: Any) -> dict[str, Any]:
    """The weights in a file by their names in the network."""
    while isinstance(state, dict) and (inner := [state[k] for k in WRAPPERS if isinstance(state.get(k), dict)]):
        state = inner[0]
    names = [str(name) for name in state] if isinstance(state, dict) else []
    prefix = min((name.removesuffix(FIRST) for name in names if name.endswith(FIRST)), key=len, default="")
    return {name.removeprefix(prefix): state[name] for name in names}


def _model(state: dict[str, Any], path: Path) -> nn.Module:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cython evaluation")  # of metrics, which are not used here
        from torchreid.reid.models.osnet_ain import osnet_ain_x1_0
    model: nn.Module = osnet_ain_x1_0(num_classes=1, pretrained=False)
    expected: dict[str, Tensor] = {k: v for k, v in model.state_dict().items() if not k.startswith(CLASSIFIER)}
    given = {name: value for name, value in state.items() if not name.startswith(CLASSIFIER)}
    differing = [
        name
        for name in sorted({*expected, *given})
        if not name.endswith(COUNTER) and _shape(expected.get(name)) != _shape(given.get(name))
    ]
    if differing:
        name = differing[0]
        raise CheckpointError(
            f"{path} does not hold the weights of OSNet-AIN x1.0: {len(differing)} differ, the first is {name}, "
            f"expected {_shape(expected.get(name))}, got {_shape(given.get(name))}"
        )
    model.load_state_dict(given, strict=False)
    return model


def _shape(value: Any) -> str:
    return str(list(value.shape)) if hasattr(value, "shape") else "nothing" if value is None else type(value).__name__
