"""Operations of the user's own: ``autograd.Function`` with every part of its context, as in PyTorch."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.array([[0.5, -1.5], [2.0, 3.0]])


def square(lib: Any) -> Any:
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * x * g

    return Square


def first_and_second(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = square(lib).apply(x)
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    return y.detach(), g.detach(), lib.autograd.grad((g * g).sum(), x), y.grad_fn.name()


def numbers_and_none(lib: Any) -> Any:
    class Scale(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float, shift: Any = None) -> Any:
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor, None, None

    x = lib.make(X, requires_grad=True)
    Scale.apply(x, 3.0, None).sum().backward()
    return x.grad


def several_outputs(lib: Any) -> Any:
    class Both(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y, x + y, 7

        @staticmethod
        def backward(ctx: Any, g_product: Any, g_sum: Any, g_number: Any) -> Any:
            x, y = ctx.saved_tensors
            return g_product * y + g_sum, g_product * x + g_sum

    x, y = lib.make(X, requires_grad=True), lib.make(X + 1, requires_grad=True)
    p, s, n = Both.apply(x, y)
    (p * 2).sum().backward(retain_graph=True)
    first = x.grad.clone(), y.grad.clone()
    s.sum().backward()
    return first, x.grad, y.grad, n


def gradients_not_materialized(lib: Any) -> Any:
    seen: list[Any] = []

    class Both(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            seen.append((a is None, b is None))
            return b * 2

    x = lib.make(X, requires_grad=True)
    Both.apply(x)[1].sum().backward()
    return seen, x.grad


def needs_input_grad(lib: Any) -> Any:
    seen: list[Any] = []

    class Product(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, z: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            x, y = ctx.saved_tensors
            return g * y, g * x, None

    x, y = lib.make(X, requires_grad=True), lib.make(X)
    Product.apply(x, y, "text").sum().backward()
    return seen, x.grad, y.grad


def in_place(lib: Any) -> Any:
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = lib.make(X, requires_grad=True)
    y = x * 3
    z = Double.apply(y)
    (z * z).sum().backward()
    return z is y, z.detach(), y._version, x.grad


def in_place_on_a_view(lib: Any) -> Any:
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = lib.make(X, requires_grad=True)
    y = x * 3
    Double.apply(y[0])
    (y * y).sum().backward()
    return y.detach(), x.grad


def leaf_in_place(lib: Any) -> Any:
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    Double.apply(lib.make(X, requires_grad=True))


def non_differentiable(lib: Any) -> Any:
    class Sorted(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            values, where = x.sort(1)
            as_float = where.to(x.dtype)
            ctx.mark_non_differentiable(as_float)
            ctx.save_for_backward(where)
            return values, as_float

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            (where,) = ctx.saved_tensors
            return g.gather(1, where.argsort(1))

    x = lib.make(X, requires_grad=True)
    values, where = Sorted.apply(x)
    (values * values).sum().backward()
    return where, values.requires_grad, where.requires_grad, x.grad


def once(lib: Any) -> Any:
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    x = lib.make(X, requires_grad=True)
    (g,) = lib.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    g.sum().backward()


def once_and_never_again(lib: Any) -> Any:
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    x = lib.make(X, requires_grad=True)
    Cube.apply(x).sum().backward()
    return x.grad


def output_saved(lib: Any) -> Any:
    class Exp(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (y,) = ctx.saved_tensors
            return g * y

    x = lib.make(X, requires_grad=True)
    y = Exp.apply(x)
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    return g.detach(), lib.autograd.grad(g.sum(), x)


def saved_then_changed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    z = square(lib).apply(y)
    y.zero_()
    z.sum().backward()


def backward_twice(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    z = square(lib).apply(x).sum()
    z.backward()
    z.backward()


def with_setup_context(lib: Any) -> Any:
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(x: Any, power: int) -> Any:
            return x**power

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, ctx.power = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * ctx.power * x ** (ctx.power - 1), None

    x = lib.make(X, requires_grad=True)
    Square.apply(x, 3).sum().backward()
    return x.grad


def identity(lib: Any) -> Any:
    class Identity(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 5

    x = lib.make(X, requires_grad=True)
    y = Identity.apply(x)
    (y * x).sum().backward()
    return y is x, y.grad_fn.name(), x.grad


def view_of_the_input(lib: Any) -> Any:
    class Turn(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.t()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.t()

    x = lib.make(X, requires_grad=True)
    (Turn.apply(x * 1) * lib.make(X)).sum().backward()
    return x.grad


def straight_through(lib: Any) -> Any:
    class Round(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.round()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = lib.make(X, requires_grad=True)
    (Round.apply(x) * x.detach()).sum().backward()
    return x.grad


def recording_inside_forward(lib: Any) -> Any:
    seen: list[bool] = []

    class Look(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 2
            seen.append(y.requires_grad)
            with lib.enable_grad():
                seen.append((x.detach().requires_grad_() * 2).requires_grad)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(lib.is_grad_enabled())
            return g * 2

    Look.apply(lib.make(X, requires_grad=True)).sum().backward()
    return seen


def no_gradient_wanted(lib: Any) -> Any:
    y = square(lib).apply(lib.make(X))
    return y, y.requires_grad


def under_no_grad(lib: Any) -> Any:
    with lib.no_grad():
        return square(lib).apply(lib.make(X, requires_grad=True)).requires_grad


def too_few_gradients(lib: Any) -> Any:
    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    Bad.apply(lib.make(X, requires_grad=True), lib.make(X, requires_grad=True)).sum().backward()


def gradient_of_the_wrong_shape(lib: Any) -> Any:
    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.new_ones(3, 5)

    Bad.apply(lib.make(X, requires_grad=True)).sum().backward()


def gradient_that_broadcast(lib: Any) -> Any:
    class Add(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g

    x, y = lib.make(X, requires_grad=True), lib.make(X[:1], requires_grad=True)
    Add.apply(x, y).sum().backward()
    return x.grad, y.grad


def without_backward(lib: Any) -> Any:
    class Half(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x / 2

    Half.apply(lib.make(X, requires_grad=True)).sum().backward()


def without_forward(lib: Any) -> Any:
    class Nothing(lib.autograd.Function):
        pass

    Nothing.apply(lib.make(X, requires_grad=True))


def saving_a_number(lib: Any) -> Any:
    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x, 3.0)
            return x * 3

    Bad.apply(lib.make(X, requires_grad=True))


def not_a_tensor_returned(lib: Any) -> Any:
    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 3.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    return Bad.apply(lib.make(X, requires_grad=True))


def none_for_a_tensor(lib: Any) -> Any:
    class Blind(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, None

    x, y = lib.make(X, requires_grad=True), lib.make(X, requires_grad=True)
    Blind.apply(x, y).sum().backward()
    return x.grad, y.grad


CASES = [
    value
    for value in list(globals().values())
    if getattr(value, "__module__", "") == __name__ and callable(value) and value is not square
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)


def test_attributes_of_ctx_survive_until_backward_and_no_longer(device: str) -> None:
    import gc
    import weakref

    class Big:
        pass

    kept: list[Any] = []

    class Keep(nbtorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.big = Big()
            kept.append(weakref.ref(ctx.big))
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert isinstance(ctx.big, Big)
            return g * 2

    gc.disable()
    try:
        x = nbtorch.ones(2, device=device, requires_grad=True)
        y = Keep.apply(x).sum()
        y.backward()
        del y
        assert kept[0]() is None
    finally:
        gc.enable()


def test_gradcheck_of_a_function(device: str) -> None:
    function = square(nbtorch)
    x = helpers.to_nbtorch(X, requires_grad=True)
    assert nbtorch.autograd.gradcheck(function.apply, x)
    assert nbtorch.autograd.gradgradcheck(function.apply, x)
