"""The chart of a training: what was measured of it, as numbers. The rules read nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

#: How the loss went: it fell clearly; it stayed; it rose; it isn't a number any more; it isn't known.
Course: TypeAlias = Literal["better", "flat", "worse", "broken", "unknown"]

MOST_SAMPLES = 160


@dataclass
class Parameter:
    """What doesn't change of a parameter."""

    name: str
    module: str
    """The layer that owns it; "" for the model itself."""
    kind: str
    """The class of that layer; "" where there are no layers."""
    shape: tuple[int, ...]
    requires_grad: bool = True
    leaf: bool = True
    owned: bool = False
    """Whether an optimizer has it."""

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_weight(self) -> bool:
        """A matrix or a kernel: what gradients flow through, unlike biases and the scales of normalisations."""
        return len(self.shape) >= 2 and self.size > 1


@dataclass
class Group:
    """One parameter group of an optimizer at one sampled step."""

    lr: float = math.nan
    weight_decay: float = 0.0
    momentum: float = 0.0
    maximize: bool = False
    decoupled: bool = False
    """Weight decay beside the gradient (AdamW), not inside it."""


@dataclass
class Activation:
    """What went through a nonlinearity at one sampled step."""

    kind: Literal["relu", "tanh", "sigmoid"]
    module: str
    """The layer that feeds it."""
    saturated: float
    """Share of values at the flat ends (of a ReLU: that are zero)."""
    dead: Bools
    """[units] True for units that were zero for every example."""


@dataclass
class Values:
    """A summary of a batch of inputs, outputs or targets."""

    shape: tuple[int, ...]
    finite: bool
    rms: float
    mean: float
    std: float
    low: float
    high: float
    real: bool
    """Floating-point numbers, not indices."""
    constant: bool
    """All rows are equal (of at least two)."""


@dataclass
class Sample:
    """One sampled step. P parameters; NaN stands for "not known" except where a flag says otherwise."""

    step: int
    loss: float | None = None
    groups: list[Group] = field(default_factory=list)
    grad: Floats = field(default_factory=lambda: np.zeros(0))
    """[P] norm of the gradient that the optimizer used."""
    has_grad: Bools = field(default_factory=lambda: np.zeros(0, bool))
    grad_finite: Bools = field(default_factory=lambda: np.zeros(0, bool))
    weight: Floats = field(default_factory=lambda: np.zeros(0))
    """[P] root mean square of the weights before the step."""
    update: Floats = field(default_factory=lambda: np.zeros(0))
    """[P] root mean square of what the step changed."""
    weight_finite: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """[P] before the step."""
    symmetric: Bools = field(default_factory=lambda: np.zeros(0, bool))
    """[P] all rows of the matrix are equal."""
    activations: list[Activation] = field(default_factory=list)
    inputs: Values | None = None
    """What the first layer got."""
    outputs: Values | None = None
    batch_finite: bool | None = None
    """Whether the numbers of the batch were; None: no batch was seen."""
    batch_part: str = ""
    """Which part of the batch was not finite: inputs or targets."""
    target: Values | None = None
    born: str | None = None
    """The first layer whose output was not finite although its input was."""
    called: set[str] = field(default_factory=set)
    """Layers that ran."""
    no_graph: set[str] = field(default_factory=set)
    """Layers with trainable parameters whose output required no gradient."""
    training: bool = True
    modes: bool = False
    """Whether the model has layers that differ between training and evaluation, all of them in evaluation."""
    stepped: bool = True
    backward: bool = False
    """Whether a gradient arrived at a parameter."""
    forwards: int = 0
    order: str = ""
    """F, B and S: forward passes, backward passes and optimizer's steps in their order, runs of one letter as one."""
    zeroed: bool = False
    """Gradients that had arrived were gone when the optimizer's step began."""
    cleared: bool | None = None
    """Whether gradients were cleared between this step and the next one; None: not seen."""
    own: float = math.nan
    """Norm of the gradient that the loss sent to the tracked parameters, and `used`: of what the optimizer had."""
    used: float = math.nan
    swing: float = math.nan
    """Cosine between the tracked gradients of this step and of the next."""
    sharpness: float = math.nan
    """Curvature along the step: (change of gradient . change of weights) / (change of weights) squared."""
    descent: float = math.nan
    """Cosine between the step and the gradient: negative goes down."""
    finding: dict[str, float] = field(default_factory=dict)
    """What comparisons of outputs, targets and the loss showed: see `probe`."""


@dataclass
class Chart:
    """All evidence of one run."""

    parameters: list[Parameter]
    samples: list[Sample] = field(default_factory=list)
    foreign: int = 0
    """Parameters of the optimizers that the model doesn't have."""
    optimizers: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    """Layers and their classes."""
    dropout: dict[str, float] = field(default_factory=dict)
    """Dropout layers and their probability."""
    iterations: int = 0
    """Iterations of the loop that were looked at."""
    idle: int = 0
    """Iterations among them in which no optimizer stepped, and `idle_backwards`: with a backward pass."""
    idle_backwards: int = 0
    steps: int = 0
    """Steps of the optimizers."""
    alarm: int | None = None
    """The step at which gradients stopped being finite, and what was found then."""
    alarm_weights: bool = True
    """Whether the weights were finite still."""
    alarm_part: str = ""
    """Which part of the batch was not: inputs or targets."""
    alarm_loss: float | None = None
    pending: Sample | None = None
    """An iteration that ended without a step of the optimizer: the last one."""

    def add(self, sample: Sample) -> None:
        """Keep a sample; when there are too many, every other one between the first and the newest goes."""
        while self.samples and self.samples[-1].step >= sample.step:  # the run was rewound
            self.samples.pop()
        self.samples.append(sample)
        if len(self.samples) > MOST_SAMPLES:
            middle = self.samples[16:-16]
            self.samples = self.samples[:16] + middle[::2] + self.samples[-16:]
        self.__dict__.pop("losses", None)

    @cached_property
    def losses(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """[R] steps and [R] losses of the samples whose loss is known."""
        known = [(s.step, s.loss) for s in self.samples if s.loss is not None]
        return np.array([k[0] for k in known], np.int64), np.array([k[1] for k in known], float)

    @property
    def steps_seen(self) -> int:
        return self.samples[-1].step if self.samples else 0

    def initial_loss(self) -> float:
        """The median of the first three, or the first alone if the loss leaps or falls at once."""
        loss = self.losses[1]
        if not len(loss):
            return math.nan
        typical = float(np.median(loss[: 3 if len(loss) >= 9 else 1]))
        # Where the loss leaps or falls at once, the median is not how it began.
        leaps = not typical <= 10 * abs(loss[0]) + 0.5
        falls = len(loss) > 3 and float(np.max(loss[1:])) < 0.7 * loss[0]
        return float(loss[0]) if leaps or falls else typical

    def final_loss(self) -> float:
        """The median of the last quarter."""
        loss = self.losses[1]
        return float(np.median(loss[-max(1, len(loss) // 4) :])) if len(loss) else math.nan

    def course(self) -> Course:
        """How the loss went. A fall counts if it is 3 % at least and larger than the noise of the mean."""
        loss = self.losses[1]
        if len(loss) < 2:
            return "unknown" if not len(loss) or math.isfinite(loss[0]) else "broken"
        if not np.isfinite(loss[-max(1, len(loss) // 4) :]).all():
            return "broken"
        loss = loss[np.isfinite(loss)]
        third = max(1, len(loss) // 3)
        first, last = loss[:third], loss[-third:]
        noise = math.sqrt((_spread(first) ** 2 + _spread(last) ** 2) / third)
        start, end = self.initial_loss(), self.final_loss()
        scale = max(abs(start), 1e-12)
        if start - end > max(0.03 * scale, noise):
            return "better"
        if end - start > max(0.1 * scale, 2 * noise):
            return "worse"
        return "flat"

    def fallen_to(self) -> float:
        """The final loss as a share of the first; 1 if that makes no sense."""
        start, end = self.initial_loss(), self.final_loss()
        return end / start if start > 0 and math.isfinite(end) else 1.0

    @property
    def learned(self) -> bool:
        """The loss fell to a fifth at most: whatever looks odd doesn't hurt."""
        return self.course() == "better" and self.fallen_to() < 0.2

    def weights(self) -> list[int]:
        """Positions of the trainable matrices."""
        return [i for i, p in enumerate(self.parameters) if p.is_weight and p.requires_grad]

    def table(self, name: str) -> Floats:
        """[R, P] one measurement of all samples."""
        return np.array([getattr(s, name) for s in self.samples], float).reshape(-1, len(self.parameters))

    def ratios(self) -> Floats:
        """[R, W] root mean square of the update over that of the weight, of the matrices."""
        chosen = self.weights()
        weight, update = self.table("weight")[:, chosen], self.table("update")[:, chosen]
        with np.errstate(all="ignore"):
            return np.where(weight > 0, update / weight, np.nan)

    def ratio(self, part: slice = slice(None)) -> float:
        """The median ratio over matrices and samples; NaN if none is known."""
        return median(self.ratios()[part])


def _spread(values: Floats) -> float:
    return float(values.std())


def median(values: npt.ArrayLike | Sequence[float]) -> float:
    """The median of what is a number; NaN if nothing is."""
    array = np.asarray(values, float).ravel()
    array = array[~np.isnan(array)]
    return float(np.median(array)) if array.size else math.nan
