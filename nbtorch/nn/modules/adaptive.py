"""A softmax over very many classes, of which few are frequent.

Source: Grave, Joulin, Cissé, Grangier, Jégou 2016, "Efficient softmax approximation for GPUs".
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...ops import cat, where
from ...tensor import Tensor
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities in two steps: a frequent class or a cluster of rare ones, then the class in its cluster.

    Classes are sorted by falling frequency. The head chooses among the first ``cutoffs[0]`` classes and the clusters;
    cluster i holds the classes from ``cutoffs[i]`` up to the next cutoff and looks at a projection of the input to
    ``in_features // div_value**(i + 1)`` numbers.

    Args:
        in_features: the size of one input.
        n_classes: the number of classes.
        cutoffs: where clusters begin: increasing, between 1 and ``n_classes - 1``.
        div_value: how much smaller the projection of the next cluster is.
        head_bias: whether the head has a bias.
        device: where weights are made.
        dtype: their floating-point type.

    Shape:
        input: ``(N, in_features)`` or ``(in_features,)``; target: class indices ``(N,)`` or ``()``. The result has
        ``output``, the log-probability of each target, and ``loss``, minus their mean.

    Raises:
        ValueError: for cutoffs of another kind.
        RuntimeError: for shapes that don't fit and targets that are no class.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        edges = [0, *cutoffs, n_classes]
        if len(edges) == 2:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if any(int(edge) != edge for edge in edges) or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1: got {list(cutoffs)} for {n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = edges[1:]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = edges[1]
        self.n_clusters = len(edges) - 2
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, width, False, device, dtype), Linear(width, high - low, False, device, dtype)
                )
            )

    def reset_parameters(self) -> None:
        """Draw new weights, those of the head first."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        _check_shapes(input_, target_)
        input, target = (input_, target_) if target_.dim() else (input_.unsqueeze(0), target_.unsqueeze(0))
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output: Any = input.new_zeros(len(target))
        chosen: Any = target
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            within = (target >= low) & (target < high)
            rows = within.nonzero().squeeze(1)
            if not len(rows):
                continue  # a cluster that nobody asks for gets no gradient, not one of zeros
            chosen = where(within, self.shortlist_size + i, chosen)
            scores = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
            output = output.index_copy(0, rows, _picked(scores, target[rows] - low))
        output = output + _picked(F.log_softmax(self.head(input), dim=1), chosen)
        loss = (-output).mean()
        return _ASMoutput(output if target_.dim() else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, ``(N, n_classes)``, for an input ``(N, in_features)``."""
        return self._all_of(input, self.head(input))  # type: ignore[no-any-return]

    def _all_of(self, input: Tensor, head: Tensor) -> Any:
        first: Any = F.log_softmax(head, dim=1)
        parts = [first[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            place = self.shortlist_size + i
            parts.append(F.log_softmax(cluster(input), dim=1) + first[:, place : place + 1])
        return cat(parts, dim=1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each input, ``(N,)``; clusters are looked at only where the head chooses one."""
        head = self.head(input)
        best: Any = head.argmax(dim=1)
        unsure = (best >= self.shortlist_size).nonzero().squeeze(1)
        if not len(unsure):
            return best  # type: ignore[no-any-return]
        return best.index_copy(0, unsure, self._all_of(input[unsure], head[unsure]).argmax(dim=1))  # type: ignore[no-any-return]


def _picked(scores: Any, columns: Any) -> Any:
    """One element of each row."""
    return scores.gather(1, columns.unsqueeze(1)).squeeze(1)


def _check_shapes(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.size(0) != target.size(0):
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.dim() != target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with size "
            f"{input.size()}"
        )
