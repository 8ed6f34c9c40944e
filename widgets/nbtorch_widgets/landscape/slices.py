"""A plane through a model's loss: two directions in the space of its weights, and the loss at every point of the plane.

Directions are random and normalised filter by filter, as H. Li et al., "Visualizing the Loss Landscape of Neural Nets"
(2018, arXiv:1712.09913) do it, or the two along which a path of the weights moved most (its principal components, from
the same paper).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.gradients import on_host
from nbtorch_widgets.landscape.problems import Floats
from nbtorch_widgets.landscape.sandbox import (
    RandomState,
    clone,
    library_of,
    named_tensors,
    set_eval,
    twin,
    untouched,
    without_grad,
    write,
)

Loss = Callable[..., Any]
Arrays = list[npt.NDArray[Any]]


def filter_normalised(weights: Arrays, rng: np.random.Generator) -> Arrays:
    """A random direction in which each filter has the length of the weights' filter (arXiv:1712.09913, section 3).

    A filter is what belongs to one output: `w[i]`. Vectors (biases, scales of normalisation) don't move, unless the
    model has nothing else.
    """
    only_vectors = all(w.ndim < 2 for w in weights)
    found = []
    for w in weights:
        draw = rng.standard_normal(w.shape)
        if w.ndim < 2 and not only_vectors:
            found.append(np.zeros(w.shape))
            continue
        axes = tuple(range(1, w.ndim)) if w.ndim > 1 else None
        length = np.sqrt((np.abs(w) ** 2).sum(axes, keepdims=True))
        drawn = np.sqrt((draw**2).sum(axes, keepdims=True))
        found.append(draw * length / np.maximum(drawn, 1e-12))
    return found


def principal(path: Sequence[Arrays], centre: Arrays) -> tuple[Arrays, Arrays, Floats, tuple[float, float]]:
    """The two directions of greatest movement along a path, each of length one.

    Returns the two directions, the path's coordinates [T, 2] in their plane around `centre`, and the shares of the
    movement that the two explain.
    """
    flat = np.stack([np.concatenate([np.ravel(a) for a in point]) for point in path]).astype(np.float64)
    moved = flat - np.concatenate([np.ravel(a) for a in centre])
    # A path has few points and many weights: the small Gram matrix has the same singular values.
    values, vectors = np.linalg.eigh(moved @ moved.T)
    order = values.argsort()[::-1][:2]
    total = float(np.trace(moved @ moved.T)) or 1.0
    flat_directions: list[Floats] = []
    for index in order:
        direction = vectors[:, index] @ moved
        length = float(np.linalg.norm(direction))
        if length < 1e-9 * np.sqrt(total):
            flat_directions.append(_perpendicular(flat_directions, direction.size))
        else:
            # The sign of a component means nothing; the path begins on the left and below.
            direction /= length if float(moved[0] @ direction) <= 0 else -length
            flat_directions.append(direction)
    if len(flat_directions) < 2:
        flat_directions.append(_perpendicular(flat_directions, flat.shape[1]))
    first, second = flat_directions
    shares = [*(float(max(0.0, values[i]) / total) for i in order), 0.0]
    return _shaped(first, centre), _shaped(second, centre), moved @ np.stack([first, second]).T, (shares[0], shares[1])


def _perpendicular(others: Sequence[Floats], size: int) -> Floats:
    """Some direction at right angles to the others, for a path that is a straight line."""
    direction = np.random.default_rng(0).standard_normal(size)
    for other in others:
        direction -= (direction @ other) * other
    length = float(np.linalg.norm(direction))
    return direction / length if length > 1e-12 else direction


def _shaped(flat: Floats, like: Arrays) -> Arrays:
    ends = np.cumsum([a.size for a in like])[:-1]
    return [part.reshape(a.shape) for part, a in zip(np.split(flat, ends), like, strict=True)]


class Plane:
    """The loss of a model on a plane: `loss(a, b)` is that at centre + a * first + b * second.

    Losses are taken in evaluation mode and without gradients, on a copy of the model that is made here, so that the
    model may be trained on while this goes on. Only where it can't be copied, or draws random numbers even in
    evaluation mode, the model itself is used (`in_place`) and put back each time.
    """

    def __init__(self, model: Any, loss_fn: Loss, data: Any) -> None:
        self._names = [name for name, tensor in named_tensors(model, "parameters") if _moves(tensor)]
        if not self._names:
            raise ValueError(f"{type(model).__name__} has no parameters of floats, so its loss has no landscape")
        self._loss_fn = loss_fn
        with untouched(model):
            self._batches = None if data is None else _batches(data)
        copied = None if data is None else twin(model)
        #: Whether the model itself is used, so only the caller's thread may do it, and nothing else meanwhile.
        self.in_place = copied is None
        self._use(model if copied is None else copied)
        self.weights: Arrays = [np.array(on_host(t), np.float64) for t in self._centre]
        with untouched(model):
            before = RandomState()
            set_eval(self._model)
            #: The loss at the centre.
            self.centre_loss = self._evaluate()
            draws = not before.same_as(RandomState())
        if draws and not self.in_place:
            self.in_place = True
            self._use(model)
        self._steps: tuple[list[Any], list[Any]] | None = None

    def _use(self, model: Any) -> None:
        self._model = model
        found = dict(named_tensors(model, "parameters"))
        self._tensors = [found[name] for name in self._names]
        self._library = library_of(self._tensors)
        self._centre = [clone(tensor) for tensor in self._tensors]

    @property
    def count(self) -> int:
        """Numbers that the plane's directions move."""
        return sum(weight.size for weight in self.weights)

    def weights_of(self, point: Any) -> Arrays:
        """The arrays of a snapshot: a state_dict, a model, or a mapping of names to tensors."""
        if not isinstance(point, Mapping):
            state = getattr(point, "state_dict", None)
            point = state() if callable(state) else dict(named_tensors(point, "parameters"))
        missing = [name for name in self._names if name not in point]
        if missing:
            raise ValueError(f"a snapshot of the path lacks {missing[0]!r}; it has {', '.join(map(str, point))[:200]}")
        arrays = [np.array(on_host(point[name]), np.float64) for name in self._names]
        for name, array, weight in zip(self._names, arrays, self.weights, strict=True):
            if array.shape != weight.shape:
                raise ValueError(f"a snapshot's {name!r} has shape {array.shape}; the model's has {weight.shape}")
        return arrays

    def span(self, first: Arrays, second: Arrays) -> None:
        """Choose the plane's directions, one array for each parameter."""
        self._steps = (
            [self._like(a, centre) for a, centre in zip(first, self._centre, strict=True)],
            [self._like(a, centre) for a, centre in zip(second, self._centre, strict=True)],
        )

    def _like(self, array: npt.NDArray[Any], tensor: Any) -> Any:
        """The array as a tensor like `tensor`, on its device."""
        if self._library is None:
            return array
        made = self._library.from_numpy(np.ascontiguousarray(array))
        return made.to(device=tensor.device, dtype=tensor.dtype)

    def losses(self, points: Iterable[tuple[float, float]]) -> list[float]:
        """The losses at some points of the plane."""
        if self._steps is None:
            raise RuntimeError("span() comes before losses()")
        first, second = self._steps
        if not self.in_place:  # nobody but us uses the copy, and it draws no random numbers
            return [self._at(a, b, first, second) for a, b in points]
        with untouched(self._model):
            randomness = RandomState()
            set_eval(self._model)
            found = []
            for a, b in points:
                randomness.restore()  # the same draws everywhere, so that the surface is one function
                found.append(self._at(a, b, first, second))
            return found

    def losses_of(self, points: Sequence[Arrays]) -> list[float]:
        """The losses at weights anywhere, in the plane or not."""
        model = self._model
        with untouched(model):  # also the copy, which stands at the centre between calls
            set_eval(model)
            found = []
            for point in points:
                with without_grad(self._library):
                    for tensor, array in zip(self._tensors, point, strict=True):
                        write(tensor, self._like(array, tensor))
                found.append(self._evaluate())
            return found

    def _at(self, a: float, b: float, first: list[Any], second: list[Any]) -> float:
        with without_grad(self._library):
            for tensor, centre, one, two in zip(self._tensors, self._centre, first, second, strict=True):
                write(tensor, centre + one * a + two * b)
        return self._evaluate()

    def _evaluate(self) -> float:
        with without_grad(self._library), np.errstate(all="ignore"):
            if self._batches is None:
                return _number(self._loss_fn())
            total, weight = 0.0, 0
            for inputs, target in self._batches:
                size = len(target) if getattr(target, "shape", ()) else 1
                total += _number(self._loss_fn(self._model(*inputs), target)) * size
                weight += size
            return total / max(1, weight)


def _moves(tensor: Any) -> bool:
    is_floating = getattr(tensor, "is_floating_point", None)
    return bool(is_floating()) if callable(is_floating) else np.asarray(on_host(tensor)).dtype.kind == "f"


def _batches(data: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """`data` as batches of inputs and target: one pair of tensors, or an iterable of pairs such as a DataLoader."""
    if isinstance(data, (tuple, list)) and len(data) >= 2 and all(hasattr(each, "shape") for each in data):
        return [_pair(data)]
    try:
        pairs = [_pair(batch) for batch in data]
    except TypeError as error:
        raise TypeError(
            f"Landscape expected data as (inputs, targets), or an iterable of such pairs; got {type(data).__name__}"
        ) from error
    if not pairs:
        raise ValueError("Landscape got no data: the iterable of batches is empty")
    return pairs


def _pair(batch: Any) -> tuple[tuple[Any, ...], Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise TypeError(f"expected a batch of (inputs, targets), got {type(batch).__name__}")
    return tuple(batch[:-1]), batch[-1]


def _number(value: Any) -> float:
    found = float(value.item()) if hasattr(value, "item") else float(value)
    return found
