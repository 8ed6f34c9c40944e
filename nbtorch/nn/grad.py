"""The gradients of convolutions, by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import enable_grad, grad
from ..ops import conv1d, conv2d, conv3d

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _gradients(convolution: Callable[..., Any], dims: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def of_input(
        input_size: Any,
        weight: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        with enable_grad():  # the gradient doesn't depend on the values
            input = grad_output.new_zeros(tuple(input_size)).requires_grad_()
            output = convolution(input, weight.detach(), None, stride, padding, dilation, groups)
        return grad(output, input, grad_output.detach())[0]

    def of_weight(
        input: Any,
        weight_size: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        with enable_grad():
            weight = grad_output.new_zeros(tuple(weight_size)).requires_grad_()
            output = convolution(input.detach(), weight, None, stride, padding, dilation, groups)
        return grad(output, weight, grad_output.detach())[0]

    for function, name in ((of_input, "input"), (of_weight, "weight")):
        function.__name__ = function.__qualname__ = f"conv{dims}d_{name}"
        function.__doc__ = (
            f"The gradient of the {name} of ``conv{dims}d``, of the given size, from that of its output.\n\n"
            "The other arguments are those of the convolution."
        )
    return of_input, of_weight


conv1d_input, conv1d_weight = _gradients(conv1d, 1)
conv2d_input, conv2d_weight = _gradients(conv2d, 2)
conv3d_input, conv3d_weight = _gradients(conv3d, 3)
