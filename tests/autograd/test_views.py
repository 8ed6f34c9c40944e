"""Which calls give views and which give copies, and what a change of either means, as in PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import helpers
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

Case = Callable[[Any, Any], Any]
pytestmark = pytest.mark.filterwarnings("ignore")


def _index(lib: Any, *numbers: int) -> Any:
    return lib.tensor(numbers, device=helpers.device_name() if lib is nbtorch else "cpu")


# Of a library and a matrix of 3 by 4: what may share its memory.
CASES: dict[str, Case] = {
    "reshape": lambda t, x: x.reshape(2, 6),
    "reshape to its own shape": lambda t, x: x.reshape(3, 4),
    "reshape of a transpose": lambda t, x: x.t().reshape(12),
    "view": lambda t, x: x.view(4, 3),
    "view_as": lambda t, x: x.view_as(t.empty(12)),
    "reshape_as": lambda t, x: x.reshape_as(t.empty(12)),
    "flatten": lambda t, x: x.flatten(),
    "flatten of a vector": lambda t, x: x[0].flatten(),
    "ravel": lambda t, x: x.ravel(),
    "ravel of a transpose": lambda t, x: x.t().ravel(),
    "unflatten": lambda t, x: x.unflatten(1, (2, 2)),
    "contiguous": lambda t, x: x.contiguous(),
    "contiguous of a transpose": lambda t, x: x.t().contiguous(),
    "t": lambda t, x: x.t(),
    "t of a vector": lambda t, x: x[0].t(),
    "T": lambda t, x: x.T,
    "mT": lambda t, x: x.mT,
    "H": lambda t, x: x.H,
    "mH": lambda t, x: x.mH,
    "adjoint": lambda t, x: x.adjoint(),
    "transpose": lambda t, x: x.transpose(0, 1),
    "swapaxes": lambda t, x: x.swapaxes(0, 1),
    "permute": lambda t, x: x.permute(1, 0),
    "movedim": lambda t, x: x.movedim(0, 1),
    "movedim to its own place": lambda t, x: x.movedim(0, 0),
    "expand": lambda t, x: x.expand(2, 3, 4),
    "expand to its own shape": lambda t, x: x.expand(3, 4),
    "expand_as": lambda t, x: x.expand_as(t.empty(2, 3, 4)),
    "broadcast_to": lambda t, x: t.broadcast_to(x, (2, 3, 4)),
    "squeeze": lambda t, x: x.squeeze(),
    "squeeze a dimension": lambda t, x: x[:1].squeeze(0),
    "unsqueeze": lambda t, x: x.unsqueeze(1),
    "select": lambda t, x: x.select(1, 2),
    "narrow": lambda t, x: x.narrow(1, 1, 2),
    "diagonal": lambda t, x: x.diagonal(1),
    "unfold": lambda t, x: x.unfold(1, 2, 1),
    "as_strided": lambda t, x: x.as_strided((2, 3), (1, 2), 1),
    "as_strided of a view": lambda t, x: x[1:].as_strided((2, 2), (4, 1)),
    "split": lambda t, x: x.split(2)[1],
    "split by sizes": lambda t, x: x.split([1, 3], 1)[1],
    "chunk": lambda t, x: x.chunk(2, 1)[1],
    "tensor_split": lambda t, x: x.tensor_split(3)[1],
    "hsplit": lambda t, x: x.hsplit(2)[1],
    "vsplit": lambda t, x: x.vsplit(3)[1],
    "unbind": lambda t, x: x.unbind(1)[2],
    "iteration": lambda t, x: list(x)[1],
    "atleast_2d": lambda t, x: t.atleast_2d(x[0]),
    "atleast_3d": lambda t, x: t.atleast_3d(x),
    "a number": lambda t, x: x[1],
    "two numbers": lambda t, x: x[1, 2],
    "a slice": lambda t, x: x[1:, ::2],
    "None": lambda t, x: x[:, None],
    "an ellipsis": lambda t, x: x[...],
    "everything": lambda t, x: x[:],
    "a list": lambda t, x: x[[0, 2]],
    "a mask": lambda t, x: x[x > 0],
    "True": lambda t, x: x[True],
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x, x[0])[1],
    "meshgrid": lambda t, x: t.meshgrid(x[0], x[1], indexing="ij")[1],
    "detach": lambda t, x: x.detach(),
    "data": lambda t, x: x.data,
    "to its own dtype": lambda t, x: x.to(t.float64),
    "to another dtype": lambda t, x: x.to(t.float32),
    "double": lambda t, x: x.double(),
    "type_as": lambda t, x: x.type_as(x),
    "view of another dtype": lambda t, x: x.detach().view(t.int64),
    "view of a narrower dtype": lambda t, x: x.detach().view(t.int32),
    "clone": lambda t, x: x.clone(),
    "clone of a transpose": lambda t, x: x.t().clone(),
    "flip": lambda t, x: x.flip(0),
    "fliplr": lambda t, x: x.fliplr(),
    "rot90": lambda t, x: x.rot90(),
    "roll": lambda t, x: x.roll(1),
    "tile": lambda t, x: x.tile(1, 1),
    "repeat": lambda t, x: x.repeat(1, 1),
    "diag": lambda t, x: x.diag(),
    "tril": lambda t, x: x.tril(),
    "cat of one": lambda t, x: t.cat([x]),
    "index_select": lambda t, x: x.index_select(0, _index(t, 0, 1)),
    "take_along_dim": lambda t, x: t.take_along_dim(x, _index(t, 0, 1, 0)[:, None], 1),
    "pad by nothing": lambda t, x: t.nn.functional.pad(x, (0, 0)),
    "view_copy": lambda t, x: t.view_copy(x, (12,)),
    "expand_copy": lambda t, x: t.expand_copy(x, (2, 3, 4)),
    "transpose_copy": lambda t, x: t.transpose_copy(x, 0, 1),
    "positive": lambda t, x: x.positive(),
    "requires_grad_": lambda t, x: x.requires_grad_(),
    "as_tensor": lambda t, x: t.as_tensor(x),
    "sum_to_size of its own": lambda t, x: x.sum_to_size(3, 4),
}
# Where a view is changed below: not those with elements that share a place, and not copies.
SINGLE = {
    name: case
    for name, case in CASES.items()
    if name not in ("expand", "expand_as", "broadcast_to", "unfold", "broadcast_tensors", "meshgrid")
    and not name.startswith(("view of", "as_strided"))
}


def make(lib: Any, requires_grad: bool = False) -> Any:
    x = lib.arange(1.0, 13.0, dtype=lib.float64, device=helpers.device_name() if lib is nbtorch else "cpu")
    # A leaf of its own memory, so that it is no view itself.
    return x.reshape(3, 4).clone().requires_grad_(requires_grad)


def numbers(x: Any) -> Any:
    return x.tolist() if hasattr(x, "tolist") else x


def both(run: Callable[[Any], Any]) -> None:
    """The same outcome on both libraries: plain values, or the class of the error."""

    def outcome(lib: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return run(lib)
            except (RuntimeError, IndexError, TypeError, ValueError) as error:
                return type(error).__name__

    assert outcome(nbtorch) == outcome(torch)


@pytest.mark.parametrize("name", CASES)
def test_what_shares_memory(name: str) -> None:
    def relation(lib: Any) -> Any:
        x = make(lib)
        y = CASES[name](lib, x)
        return (
            y is x, y._is_view(), (y._base is x) if y._is_view() else None,
            y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr(),
            y.data_ptr() - x.data_ptr() if y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() else None,
            y.storage_offset(), y.stride(), tuple(y.shape), y.is_contiguous(),
        )  # fmt: skip

    both(relation)


@pytest.mark.parametrize("name", SINGLE)
def test_a_write_is_seen_on_the_other_side(name: str) -> None:
    def write(lib: Any) -> Any:
        x = make(lib)
        y = SINGLE[name](lib, x)
        y.mul_(2)
        first = numbers(x), numbers(y), x._version, y._version
        x.add_(1)
        return first, numbers(x), numbers(y), x._version, y._version

    both(write)


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("order", ["view", "base", "view then base", "base then view", "both sides read"])
def test_gradients_after_a_change(name: str, order: str) -> None:
    if name == "take_along_dim":
        pytest.skip("PyTorch keeps the whole input for its shape alone, and refuses; here the gradient comes out")

    def differentiate(lib: Any) -> Any:
        x = make(lib, True)
        b = x * 1.5
        y = SINGLE[name](lib, b)
        if order.startswith("view"):
            y.mul_(3)
        if order in ("base", "view then base", "base then view"):
            b.mul_(b.detach() + 1)
        if order in ("base then view", "both sides read"):
            y.mul_(y.detach() * 2)
        out = (b * b).sum()
        if y.requires_grad:
            out = out + (y.to(lib.float64) * 5).sum()
        out.backward()
        return numbers(x.grad), y.requires_grad, y.grad_fn is not None

    both(differentiate)


@pytest.mark.parametrize("name", SINGLE)
def test_a_leaf_may_not_be_changed_through_its_views(name: str) -> None:
    def change(lib: Any) -> Any:
        x = make(lib, True)
        SINGLE[name](lib, x).mul_(2)
        return numbers(x)

    both(change)


@pytest.mark.parametrize("name", SINGLE)
def test_views_taken_without_recording(name: str) -> None:

    def change(lib: Any) -> Any:
        b = make(lib, True) * 1
        with lib.no_grad():
            y = SINGLE[name](lib, b)
            y.mul_(2)
        seen = numbers(b), b._version
        w = make(lib, True)[0, 0]
        y.mul_(w)
        return seen, numbers(b)

    both(change)


@pytest.mark.parametrize("name", SINGLE)
def test_a_number_that_wants_a_gradient_written_into_plain_memory(name: str) -> None:
    def change(lib: Any) -> Any:
        b = make(lib)
        y = SINGLE[name](lib, b)
        w = make(lib, True)
        y.mul_(w[0, 1])
        if not b.requires_grad:
            return numbers(b), y.requires_grad
        (b * b).sum().backward()
        return numbers(b), numbers(w.grad)

    both(change)


EXPANDED: dict[str, Callable[[Any, Any], Any]] = {
    "add_": lambda t, x: x.add_(1),
    "mul_ of a part of its own": lambda t, x: x[0].mul_(2),
    "copy_": lambda t, x: x.copy_(t.ones(2, 3, 4, dtype=t.float64, device=x.device)),
    "zero_": lambda t, x: x.zero_(),
    "fill_": lambda t, x: x.fill_(3),
    "exp_": lambda t, x: x.exp_(),
    "clamp_": lambda t, x: x.clamp_(2, 4),
}


@pytest.mark.parametrize("name", EXPANDED)
def test_expanded_memory(name: str) -> None:
    def write(lib: Any) -> Any:
        x = make(lib)
        y = x.expand(2, 3, 4)
        EXPANDED[name](lib, y)
        return numbers(x), numbers(y)

    both(write)


SHAPES: dict[str, Callable[[Any], Any]] = {
    "t_": lambda x: x.t_(),
    "transpose_": lambda x: x.transpose_(0, 1),
    "swapdims_": lambda x: x.swapdims_(0, 1),
    "swapaxes_": lambda x: x.swapaxes_(1, 0),
    "squeeze_": lambda x: x.squeeze_(),
    "unsqueeze_": lambda x: x.unsqueeze_(0),
    "as_strided_": lambda x: x.as_strided_((2, 2), (2, 1)),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("on", ["leaf", "base", "view", "base with views"])
def test_another_shape_in_place(name: str, on: str) -> None:
    def change(lib: Any) -> Any:
        x = make(lib, True)
        if on == "leaf":
            return SHAPES[name](x)
        b = x * 1
        row = b[1]
        target = b[0:2] if on == "view" else b
        out = SHAPES[name](target)
        assert out is target
        facts = tuple(out.shape), out.stride(), out._version, b._version
        out.mul_(3)
        if on == "base with views":
            row.mul_(5)
            out.mul_(out.detach())
        loss = (b * b).sum() + (row * 7).sum() + (out * 2).sum()
        loss.backward()
        return facts, numbers(b), numbers(row), numbers(x.grad)

    both(change)


MEMORY: dict[str, Callable[[Any, Any], Any]] = {
    "resize_ smaller": lambda t, x: x.resize_(2, 3),
    "resize_ to its own": lambda t, x: x.resize_(3, 4),
    "resize_as_": lambda t, x: x.resize_as_(t.empty(2, 2)),
    "resize_ to nothing": lambda t, x: x.resize_(0),
    "set_ to another": lambda t, x: x.set_(t.ones(2, 2, dtype=t.float64, device=x.device)),
    "set_ to a part": lambda t, x: x.set_(t.ones(9, dtype=t.float64, device=x.device), 1, (2, 2), (3, 1)),
    "set_ to nothing": lambda t, x: x.set_(),
    "set_ to another dtype": lambda t, x: x.set_(t.ones(2, device=x.device)),
}


@pytest.mark.parametrize("name", MEMORY)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_other_memory(name: str, requires_grad: bool) -> None:
    def change(lib: Any) -> Any:
        x = make(lib, requires_grad)
        y = MEMORY[name](lib, x)
        return y is x, numbers(x), tuple(x.shape), x.stride(), x.storage_offset(), x._is_view()

    both(change)


def test_memory_that_grows_keeps_its_numbers() -> None:
    x = make(nbtorch)
    x.resize_(5, 4)
    assert numbers(x[:3]) == numbers(make(nbtorch))


def test_is_set_to() -> None:
    def facts(lib: Any) -> Any:
        x = make(lib)
        return x.is_set_to(x), x.is_set_to(x[:]), x.is_set_to(x.t()), x.is_set_to(x.clone()), x[1:].is_set_to(x[:2])

    both(facts)


STRIDED: dict[str, Callable[[Any], Any]] = {
    "overlapping": lambda x: x.as_strided((3, 3), (1, 1)),
    "of a transpose": lambda x: x.t().as_strided((2, 3), (2, 3), 1),
    "of an expanded row": lambda x: x[0].expand(3, 4).as_strided((2, 4), (0, 1)),
    "of a slice": lambda x: x[1:, 1:].as_strided((2, 2), (4, 1)),
    "of one place": lambda x: x.as_strided((4, 2), (0, 0), 5),
    "without elements": lambda x: x.as_strided((0, 2), (1, 1)),
    "a number": lambda x: x.as_strided((), (), 7),
    "beyond the memory": lambda x: x.as_strided((4, 4), (4, 1)),
    "negative": lambda x: x.as_strided((2,), (-1,)),
    "of another length": lambda x: x.as_strided((2,), (1, 1)),
    "windows of windows": lambda x: x.unfold(0, 2, 1).unfold(1, 2, 2),
    "windows of a transpose": lambda x: x.t().unfold(0, 3, 1),
}


@pytest.mark.parametrize("name", STRIDED)
def test_strides_and_their_gradients(name: str) -> None:
    def differentiate(lib: Any) -> Any:
        x = make(lib, True)
        y = STRIDED[name](x * 1)
        (y * y).sum().backward()
        return numbers(y), y.stride(), y.storage_offset(), numbers(x.grad)

    both(differentiate)


def test_a_write_through_strides() -> None:
    def differentiate(lib: Any) -> Any:
        x = make(lib, True)
        b = x * 1
        b.as_strided((2, 2), (5, 2), 1).mul_(3)
        b.t().as_strided((3,), (4,), 1).add_(1)
        (b * b).sum().backward()
        return numbers(b), numbers(x.grad)

    both(differentiate)


@pytest.mark.parametrize("order", ["channels_last", "contiguous_format", "preserve_format"])
def test_memory_formats(order: str) -> None:
    def facts(lib: Any) -> Any:
        format = getattr(lib, order)
        x = lib.arange(120.0).reshape(2, 3, 4, 5)
        y = x.clone(memory_format=format)
        z = y.contiguous(memory_format=format) if order != "preserve_format" else y
        made = [
            lib.empty_like(x, memory_format=format),
            lib.zeros_like(y),
            (y + 1),
            y.clone(),
            y.t() if 0 else y.mT.clone(),
        ]
        return (
            y.stride(), numbers(y), z is y, y.is_contiguous(), y.is_contiguous(memory_format=lib.channels_last),
            [m.stride() for m in made], str(format), x.to(memory_format=format).stride(),
        )  # fmt: skip

    both(facts)
