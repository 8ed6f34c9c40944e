"""Wrong calls: the class of exception that PyTorch raises, a message that says what to do, and nothing modified."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest
from sides import nbtorch_side, torch_side

Call = Any


class Things:
    """What the wrong calls are made with: fresh tensors of one library."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.F = lib.nn.functional
        self.x = lib.make(np.arange(6.0).reshape(2, 3))
        self.y = lib.make(np.arange(8.0).reshape(2, 4))
        self.v = lib.make(np.arange(3.0))
        self.n = lib.make(np.arange(3))
        self.b = lib.make(np.array([True, False, True]))
        self.f = lib.make(np.arange(6.0, dtype=np.float32).reshape(2, 3))
        self.w = lib.make(np.ones((2, 3)), requires_grad=True)
        self.none = lib.make(np.zeros((0, 3)))
        self.cube = lib.make(np.arange(24.0).reshape(2, 3, 4))
        self.number = lib.make(np.array(3.0))

    def all(self) -> list[Any]:
        return [self.x, self.y, self.v, self.n, self.b, self.f, self.w, self.none, self.cube, self.number]


# The number of lines that the message has at least: 2 where there is something to explain.
CALLS: dict[str, tuple[Call, int]] = {
    # shapes
    "add of shapes that don't fit": (lambda t: t.x + t.y, 2),
    "mul of shapes that don't fit": (lambda t: t.x * t.y, 2),
    "compare shapes that don't fit": (lambda t: t.x == t.y, 2),
    "where of shapes that don't fit": (lambda t: t.lib.where(t.b, t.y, t.y), 2),
    "matmul of shapes that don't fit": (lambda t: t.x @ t.y, 2),
    "matmul of a number": (lambda t: t.number @ t.x, 1),
    "matmul of vectors of other lengths": (lambda t: t.v @ t.y[0], 1),
    "matmul of batches that don't fit": (lambda t: t.cube @ t.cube, 2),
    "mm of a cube": (lambda t: t.lib.mm(t.cube, t.x), 2),
    "bmm of matrices": (lambda t: t.lib.bmm(t.x, t.x), 2),
    "mv of shapes that don't fit": (lambda t: t.lib.mv(t.x, t.y[0]), 2),
    "dot of matrices": (lambda t: t.lib.dot(t.x, t.x), 2),
    "reshape to another size": (lambda t: t.x.reshape(4, 2), 2),
    "reshape with two unknowns": (lambda t: t.x.reshape(-1, -1), 2),
    "reshape to a negative": (lambda t: t.x.reshape(-2, 3), 2),
    "reshape of nothing to an unknown": (lambda t: t.none.reshape(0, -1), 1),
    "view of a transpose": (lambda t: t.x.t().view(6), 2),
    "expand of a dimension that is not 1": (lambda t: t.x.expand(5, 3), 1),
    "expand to fewer dimensions": (lambda t: t.x.expand(3), 1),
    "cat of nothing": (lambda t: t.lib.cat([]), 2),
    "cat of shapes that don't fit": (lambda t: t.lib.cat([t.x, t.y]), 2),
    "cat of other numbers of dimensions": (lambda t: t.lib.cat([t.x, t.v]), 1),
    "cat of numbers": (lambda t: t.lib.cat([t.number, t.number]), 2),
    "cat of lists": (lambda t: t.lib.cat([[1.0], [2.0]]), 1),
    "cat of one tensor": (lambda t: t.lib.cat(t.x), 1),
    "stack of nothing": (lambda t: t.lib.stack([]), 1),
    "stack of other shapes": (lambda t: t.lib.stack([t.x, t.y]), 1),
    "split into sizes that don't add up": (lambda t: t.x.split([1, 1], dim=1), 1),
    "split into negative sizes": (lambda t: t.x.split(-1), 1),
    "chunk into none": (lambda t: t.x.chunk(0), 1),
    "unbind of a number": (lambda t: t.number.unbind(), 1),
    "transpose of a cube": (lambda t: t.cube.t(), 2),
    "permute with a dimension missing": (lambda t: t.cube.permute(0, 1), 1),
    "permute with a dimension twice": (lambda t: t.cube.permute(0, 1, 1), 1),
    "flatten backwards": (lambda t: t.cube.flatten(2, 1), 1),
    "repeat too few": (lambda t: t.x.repeat(2), 2),
    "narrow beyond the end": (lambda t: t.x.narrow(1, 2, 5), 1),
    "one size negative": (lambda t: t.lib.zeros(2, -1), 1),
    "sizes that are floats": (lambda t: t.lib.zeros(2.5), 1),
    "einsum of sizes that don't fit": (lambda t: t.lib.einsum("ij,jk->ik", t.x, t.y), 2),
    "einsum with a letter too many": (lambda t: t.lib.einsum("ijk->i", t.x), 2),
    "einsum of too few operands": (lambda t: t.lib.einsum("ij,jk->ik", t.x), 2),
    "einsum of an unknown output": (lambda t: t.lib.einsum("ij->k", t.x), 1),
    # dimensions
    "sum over a dimension out of range": (lambda t: t.x.sum(2), 1),
    "softmax over a dimension out of range": (lambda t: t.x.softmax(-3), 1),
    "dimension as text": (lambda t: t.x.sum("a"), 1),
    "dimension as a float": (lambda t: t.x.softmax(1.0), 1),
    "dimension named twice": (lambda t: t.x.sum((0, 0)), 1),
    "squeeze out of range": (lambda t: t.x.squeeze(5), 1),
    "unsqueeze out of range": (lambda t: t.x.unsqueeze(5), 1),
    "size of a dimension out of range": (lambda t: t.x.size(2), 1),
    "max of nothing": (lambda t: t.none.max(), 2),
    "max over nothing": (lambda t: t.none.max(0), 2),
    "argmax of nothing": (lambda t: t.none.argmax(), 2),
    "topk of too many": (lambda t: t.v.topk(4), 2),
    # dtypes
    "mean of integers": (lambda t: t.n.mean(), 2),
    "var of integers": (lambda t: t.n.var(), 2),
    "softmax of integers": (lambda t: t.n.softmax(0), 2),
    "norm of integers": (lambda t: t.n.norm(), 2),
    "matmul of two dtypes": (lambda t: t.x @ t.f.t(), 2),
    "negation of bools": (lambda t: -t.b, 1),
    "difference of bools": (lambda t: t.b - t.b, 2),
    "invert floats": (lambda t: ~t.x, 1),
    "and of floats": (lambda t: t.x & t.x, 2),
    "shift of floats": (lambda t: t.x << 1, 2),
    "integers to a negative power": (lambda t: t.n**-1, 2),
    "integers by zero": (lambda t: t.n // 0, 2),
    "float into integers in place": (lambda t: t.n.add_(0.5), 2),
    "division of integers in place": (lambda t: t.n.div_(2), 2),
    "mask that is no mask": (lambda t: t.v.masked_fill(t.n, 0.0), 2),
    "where without a mask": (lambda t: t.lib.where(t.v, t.v, t.v), 2),
    "gather by floats": (lambda t: t.v.gather(0, t.v), 2),
    "index by floats": (lambda t: t.x[t.v], 2),
    "index_select by floats": (lambda t: t.x.index_select(0, t.v), 2),
    "requires_grad of integers": (lambda t: t.n.requires_grad_(), 2),
    "dtype as text": (lambda t: t.lib.zeros(2, dtype="float32"), 1),
    "dtype that is a class": (lambda t: t.lib.tensor([1.0], dtype=dict), 1),
    # types
    "add of text": (lambda t: t.x + "a", 1),
    "add of a list": (lambda t: t.x + list(range(3)), 1),
    "add of None": (lambda t: t.x + None, 1),
    "function of a number": (lambda t: t.lib.exp(1.0), 2),
    "function of a list": (lambda t: t.lib.relu([1.0]), 2),
    "matmul with a list": (lambda t: t.x @ [1.0, 2.0, 3.0], 1),
    "linear of a list": (lambda t: t.F.linear([[1.0]], t.x), 2),
    "tensor of text": (lambda t: t.lib.tensor("abc"), 2),
    "tensor of None": (lambda t: t.lib.tensor(None), 2),
    "tensor of ragged rows": (lambda t: t.lib.tensor([[1, 2], [3]]), 2),
    "tensor of a dict": (lambda t: t.lib.tensor({"a": 1}), 2),
    "unknown method": (lambda t: t.x.summ(), 1),
    "unknown keyword": (lambda t: t.x.sum(typo=1), 1),
    "missing argument": (lambda t: t.x.gather(0), 1),
    "copy_ of a list": (lambda t: t.x.copy_([1.0]), 1),
    "grad set to a number": (lambda t: setattr(t.w, "grad", 1.0), 2),
    "data set to a number": (lambda t: setattr(t.w, "data", 1.0), 1),
    # devices
    "unknown device": (lambda t: t.lib.zeros(2, device="mars"), 2),
    "device with a bad number": (lambda t: t.lib.zeros(2, device="cpu:x"), 2),
    "to an unknown device": (lambda t: t.x.to("gpu"), 2),
    # indices
    "index out of range": (lambda t: t.x[2], 1),
    "huge index": (lambda t: t.x[10**15], 1),
    "index below the range": (lambda t: t.x[0, -4], 1),
    "too many indices": (lambda t: t.x[0, 0, 0], 2),
    "index of a number": (lambda t: t.number[0], 1),
    "index by text": (lambda t: t.x["a"], 1),
    "backwards slice": (lambda t: t.x[::-1], 2),
    "mask of another shape": (lambda t: t.x[t.b], 1),
    "gather out of range": (lambda t: t.v.gather(0, t.n + 5), 2),
    "index_select out of range": (lambda t: t.v.index_select(0, t.n + 5), 2),
    "take_along_dim of other dimensions": (lambda t: t.lib.take_along_dim(t.x, t.n, 1), 1),
    "scatter of a larger index": (lambda t: t.v.scatter(0, t.lib.make(np.zeros(9, np.int64)), t.v), 2),
    "embedding out of range": (lambda t: t.F.embedding(t.n + 5, t.x), 2),
    "embedding by floats": (lambda t: t.F.embedding(t.v, t.x), 2),
    "one_hot of floats": (lambda t: t.F.one_hot(t.v), 2),
    "one_hot of too few classes": (lambda t: t.F.one_hot(t.n, 2), 2),
    # graph
    "in place on a leaf": (lambda t: t.w.add_(1), 2),
    "in place on a view of a leaf": (lambda t: t.w[0].add_(1), 2),
    "assignment to a leaf": (lambda t: t.w.__setitem__(0, 1.0), 2),
    "in place on expanded": (lambda t: t.v.expand(2, 3).add_(1), 2),
    "in place with a larger operand": (lambda t: t.v.add_(t.x), 2),
    "backward of many": (lambda t: (t.w * 2).backward(), 2),
    "backward without history": (lambda t: t.x.sum().backward(), 2),
    "backward twice": (lambda t: [(s := (t.w * t.w).sum()).backward(), s.backward()], 2),
    "backward with another shape": (lambda t: (t.w * 2).backward(t.v), 2),
    "grad of what was not used": (lambda t: t.lib.autograd.grad(t.w.sum(), (t.w * 1)), 2),
    "numpy of a leaf": (lambda t: t.w.numpy(), 2),
    "item of many": (lambda t: t.x.item(), 2),
    "item of none": (lambda t: t.none.item(), 2),
    "truth of many": (lambda t: bool(t.x), 2),
    "truth of none": (lambda t: bool(t.none), 1),
    "float of many": (lambda t: float(t.x), 2),
    "deepcopy of a result": (lambda t: __import__("copy").deepcopy(t.w * 2), 2),
    "requires_grad off on a result": (lambda t: (t.w * 2).requires_grad_(False), 2),
    "hook where no gradient comes": (lambda t: t.x.register_hook(print), 1),
    "retain_grad where no gradient comes": (lambda t: t.x.retain_grad(), 1),
    # losses and layers
    "linear of sizes that don't fit": (lambda t: t.F.linear(t.x, t.y), 2),
    "labels out of range": (lambda t: t.F.cross_entropy(t.x, t.lib.make(np.array([0, 3]))), 2),
    "labels below the range": (lambda t: t.F.cross_entropy(t.x, t.lib.make(np.array([0, -1]))), 2),
    "labels that are floats": (lambda t: t.F.cross_entropy(t.x, t.lib.make(np.array([0.0, 1.0]))), 2),
    "labels of another length": (lambda t: t.F.cross_entropy(t.x, t.n), 2),
    "smoothing above 1": (lambda t: t.F.cross_entropy(t.x, t.n[:2], label_smoothing=2.0), 1),
    "mse of shapes that don't fit": (lambda t: t.F.mse_loss(t.x, t.y), 2),
    "unknown reduction": (lambda t: t.F.mse_loss(t.x, t.x, reduction="median"), 2),
    "probabilities above 1": (lambda t: t.F.binary_cross_entropy(t.x, t.x), 2),
    "logits against another shape": (lambda t: t.F.binary_cross_entropy_with_logits(t.x, t.v), 1),
    "dropout of 2": (lambda t: t.F.dropout(t.x, 2.0), 1),
    "layer_norm of another size": (lambda t: t.F.layer_norm(t.x, (4,)), 2),
    # numbers
    "arange without steps": (lambda t: t.lib.library.arange(0, 5, 0), 2),
    "arange the wrong way": (lambda t: t.lib.library.arange(5, 0), 2),
    "arange to infinity": (lambda t: t.lib.library.arange(0, float("inf")), 2),
    "linspace of fewer than none": (lambda t: t.lib.linspace(0, 1, -1), 1),
    "clamp without bounds": (lambda t: t.x.clamp(), 1),
    "full of text": (lambda t: t.lib.full((2,), "a"), 1),
    "seed too large": (lambda t: t.lib.manual_seed(2**70), 1),
    "number too large for the dtype": (lambda t: t.lib.tensor([300], dtype=t.lib.uint8), 1),
    "unknown rounding": (lambda t: t.lib.div(t.x, 2, rounding_mode="up"), 1),
}  # fmt: skip

# Where device code cannot look at numbers without waiting for the device, the check is left to the host.
LOOKS_AT_NUMBERS = {
    "gather out of range", "index_select out of range", "embedding out of range", "one_hot of too few classes",
    "labels out of range", "labels below the range", "probabilities above 1",
}  # fmt: skip


def raised(call: Call, lib: Any) -> tuple[Exception | None, list[Any], list[Any]]:
    things = Things(lib)
    before = [helpers.to_numpy(x) for x in things.all()]
    try:
        call(things)
    except Exception as error:
        return error, before, [helpers.to_numpy(x) for x in things.all()]
    return None, before, before


@pytest.mark.parametrize("name", CALLS)
def test_wrong_call(name: str, device: str, torch_ref: Any) -> None:
    if name in LOOKS_AT_NUMBERS and device != "cpu":
        pytest.skip("the device is not asked for the numbers")
    if name == "numpy of a leaf" and device != "cpu":
        pytest.skip("about the host's memory")
    call, lines = CALLS[name]
    theirs, _, _ = raised(call, torch_side())
    assert theirs is not None, "PyTorch does not refuse this call"
    ours, before, after = raised(call, nbtorch_side())
    assert ours is not None, f"not refused; PyTorch: {theirs!r}"
    assert isinstance(ours, type(theirs)), f"{ours!r} where PyTorch raises {theirs!r}"
    message = str(ours).splitlines()
    assert len([line for line in message if line.strip()]) >= lines, f"too short to help: {ours}"
    assert len(message[0]) > 10
    helpers.same(after, before)
