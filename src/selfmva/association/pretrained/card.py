"""The model card: what somebody has to know before using a model of somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from selfmva.association.fit_report import REPORT_COLUMNS
from selfmva.core.config import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.fit_report import FitReport
    from selfmva.core.types import View

MARK = "<!-- Written by selfmva whenever the model is saved; without this line, your own text stays. -->"
MARKS = (MARK, MARK.replace("the model", "the rig"))  # the second stands in cards that were written before
NOT_STATED = "not stated"
MOST_PAIRS = 50  # rows of the table of view pairs

TEXT = """\
{header}
{mark}

# {title}

A model of selfmva (`pip install selfmva`): it tells which boxes of {count} fixed, synchronized cameras are
the same person, and how sure that is. It was learnt without labels and without calibration, for these cameras.

```python
from selfmva import Associator

associator = Associator.from_pretrained("{name}")
association = associator.associate(boxes)  # boxes[v]: (N, 4) array of x1, y1, x2, y2 in pixels of view v
```

## Cameras

{views}

## Training data

{training_data}

Licence of the data: {data_license}. Licence of this model: {license}.

## What was learnt

{learnt}

## Metrics

{metrics}

## Limits

- It is for these cameras, where they stood, with this image size. After a nudge, or with boxes of another detector,
  `associator.adapt(boxes)` refines it without labels, and says where it cannot.
- Probabilities mean what they say where people behave as they did in the training data.
- It links boxes of one instant. It does not track over time, and it does not know who anybody is.

## Consent and privacy

The model holds where cameras stand and what distances between boxes mean, no image and no identity. What it is used on
are people: have a lawful basis and, where it is due, their consent; keep associations no longer than needed; and let no
decision about a person rest on an association alone, for some are wrong.{notes}
"""


class Card(Stage):
    """What a model cannot tell by itself; all of it is optional."""

    title: str = Field("", description="Name of the model, for people.")
    training_data: str = Field("", description="What it was learnt from, and whose that is.")
    data_license: str = Field("", description="Licence of the training data, an SPDX identifier or in words.")
    license: str = Field("", description="Licence of the model, an SPDX identifier.")
    evaluated_on: str = Field("", description="What `metrics` were measured on, and by which protocol.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Measured figures by name.")
    notes: str = Field("", description="Anything else, as Markdown.")


def write_card(card: Card | None, views: tuple[View, ...], report: FitReport | None, name: str) -> str:
    """The text of the model card.

    Args:
        card: What the model cannot tell by itself, if anything was said.
        views: The cameras.
        report: What was learnt; None where nothing was.
        name: What `from_pretrained` is called with.

    Returns:
        Markdown with a YAML header, as the model hub reads it.
    """
    from huggingface_hub import ModelCardData

    card = card or Card()
    header = ModelCardData(
        license=card.license.lower() or None,
        library_name="selfmva",
        tags=["selfmva", "multi-view", "person-association"],
    )
    return TEXT.format(
        header=f"---\n{header.to_yaml()}\n---",
        mark=MARK,
        title=card.title or name,
        name=name,
        count=len(views),
        views=_views(views),
        training_data=card.training_data or f"Training data: {NOT_STATED}.",
        data_license=card.data_license or NOT_STATED,
        license=card.license or NOT_STATED,
        learnt=_learnt(report),
        metrics=_metrics(card),
        notes=f"\n\n## Notes\n\n{card.notes}" if card.notes else "",
    )


def is_ours(text: str) -> bool:
    """Whether a card was written by `write_card`, and may be written anew.

    Example:
        >>> is_ours("# My own words"), is_ours(f"{MARK} # The corridor")
        (False, True)
    """
    return any(mark in text for mark in MARKS)


def _views(views: tuple[View, ...]) -> str:
    rows = [(view.name, f"{view.width} x {view.height}") for view in views]
    return _table(("camera", "pixels"), rows)


def _learnt(report: FitReport | None) -> str:
    if report is None:
        return "Converted from weights of elsewhere: nothing was calibrated yet."
    summary = f"{report.summary()[0].upper()}{report.summary()[1:]}."
    rows = report.rows()
    left_out = f"\n\nand {len(rows) - MOST_PAIRS} view pairs more" if len(rows) > MOST_PAIRS else ""
    columns = REPORT_COLUMNS if report.embedding else REPORT_COLUMNS[:-1]  # the last one speaks of the embedding
    return f"{summary}\n\n{_table(columns, [row[: len(columns)] for row in rows[:MOST_PAIRS]])}{left_out}"


def _metrics(card: Card) -> str:
    if not card.metrics:
        return f"{NOT_STATED.capitalize()}."
    figures = [(name, f"{value:.3f}") for name, value in card.metrics.items()]
    where = f"Measured on {card.evaluated_on}.\n\n" if card.evaluated_on else ""
    return f"{where}{_table(('metric', 'value'), figures)}"


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    from tabulate import tabulate

    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    return tabulate(cells, headers=columns, tablefmt="github", disable_numparse=True)
