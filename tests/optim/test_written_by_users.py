"""Optimisers and schedules that programs bring along, in the styles of several years, and the modules they import."""

from __future__ import annotations

import importlib
import io
import math
from collections import defaultdict
from typing import Any

import pytest
from sides import as_torch, nbtorch_side, set_weights


def part(lib: Any, name: str) -> Any:
    return importlib.import_module(f"{lib.optim.__name__}.{name}")


def numbers_first(lib: Any, params: Any) -> Any:
    """As before PyTorch 1.5: factors before tensors, ``.data``, counts that are plain numbers."""

    class Old(part(lib, "optimizer").Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, params: Any, lr: Any = part(lib, "optimizer").required, betas: Any = (0.9, 0.999)) -> None:
            super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.01})

        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                beta1, beta2 = group["betas"]
                for p in group["params"]:
                    grad, state = p.grad.data, self.state[p]
                    if len(state) == 0:
                        state["step"] = 0
                        state["mean"], state["square"] = lib.zeros_like(p.data), lib.zeros_like(p.data)
                    state["step"] += 1
                    state["mean"].mul_(beta1).add_(1 - beta1, grad)
                    state["square"].mul_(beta2).addcmul_(1 - beta2, grad, grad)
                    size = group["lr"] * math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
                    p.data.add_(-group["weight_decay"] * group["lr"], p.data)
                    p.data.addcdiv_(-size, state["mean"], state["square"].sqrt().add_(1e-8))

    return Old(params, lr=0.02)


def signs(lib: Any, params: Any) -> Any:
    """As today: no_grad, options by name."""

    class Signs(lib.optim.Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 0.01, "beta": 0.9})

        @lib.no_grad()
        def step(self, closure: Any = None) -> Any:
            for group in self.param_groups:
                for p in filter(lambda p: p.grad is not None, group["params"]):
                    state = self.state[p]
                    if not state:
                        state["mean"] = lib.zeros_like(p, memory_format=lib.preserve_format)
                    state["mean"].lerp_(p.grad, 1 - group["beta"])
                    p.add_(state["mean"].sign(), alpha=-group["lr"])

    return Signs(params)


def looking_ahead(lib: Any, params: Any) -> Any:
    """A wrapper of another optimiser that never calls the base class' ``__init__``."""

    class Ahead(lib.optim.Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, inner: Any) -> None:
            self.inner, self.count = inner, 0
            self.param_groups, self.defaults, self.state = inner.param_groups, inner.defaults, defaultdict(dict)

        def step(self, closure: Any = None) -> Any:
            loss = self.inner.step(closure)
            self.count += 1
            for p in self.param_groups[0]["params"]:
                slow = self.state[p].setdefault("slow", p.data.clone())
                if self.count % 3 == 0:
                    slow += 0.5 * (p.data - slow)
                    p.data.copy_(slow)
            return loss

        def state_dict(self) -> Any:
            return self.inner.state_dict()

        def load_state_dict(self, state_dict: Any) -> None:
            self.inner.load_state_dict(state_dict)
            self.param_groups = self.inner.param_groups

    return Ahead(lib.optim.Adam(params, lr=0.02))


def derived(lib: Any, params: Any) -> Any:
    class Decaying(part(lib, "adam").Adam):  # type: ignore[misc, name-defined]
        def step(self, closure: Any = None) -> Any:
            with lib.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.mul_(1 - 0.1 * group["lr"])
            return super().step(closure)

    return Decaying(params, lr=0.02)


def marked(lib: Any, params: Any) -> Any:
    class Marked(lib.optim.Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 0.05, "differentiable": False})

        @part(lib, "optimizer")._use_grad_for_differentiable
        def step(self, closure: Any = None) -> None:
            for p in self.param_groups[0]["params"]:
                p.sub_(p.grad * self.param_groups[0]["lr"])

    return Marked(params)


@pytest.mark.filterwarnings("ignore:This overload")
@pytest.mark.parametrize("make", [numbers_first, signs, looking_ahead, derived, marked])
def test_optimizers(make: Any, torch_ref: Any) -> None:
    """Thirty steps under a schedule, saved to a file and loaded in the middle."""

    def run(lib: Any) -> Any:
        nn = lib.nn
        model = set_weights(nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).to(lib.device))
        optimizer = make(lib, model.parameters())
        scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 5, 0.7)
        losses = []
        for k in range(30):
            optimizer.zero_grad()
            loss = ((model(lib.arange(6, 3)) - 1) ** 2).mean()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            if k == 15:
                file = io.BytesIO()
                lib.save(optimizer.state_dict(), file)
                file.seek(0)
                optimizer = make(lib, model.parameters())
                optimizer.load_state_dict(lib.load(file))
                scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 5, 0.7, last_epoch=k)
        return losses, [p.detach() for p in model.parameters()], repr(optimizer)

    as_torch(run, rtol=1e-4, atol=1e-5)


def test_schedule(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        class Warm(lib.optim.lr_scheduler._LRScheduler):  # type: ignore[misc, name-defined]
            def __init__(self, optimizer: Any, after: Any) -> None:
                self.after = after
                super().__init__(optimizer)

            def get_lr(self) -> Any:
                assert self._get_lr_called_within_step
                return [base * min(1, (self.last_epoch + 1) / 5) for base in self.base_lrs]

            def step(self, epoch: Any = None) -> None:
                if self.last_epoch < 6:
                    super().step(epoch)
                else:
                    self.after.step()
                    self._last_lr = self.after.get_last_lr()

        optimizer = lib.optim.SGD([lib.arange(2)], lr=0.5)
        schedulers = lib.optim.lr_scheduler
        scheduler = Warm(optimizer, schedulers.CosineAnnealingLR(optimizer, 10))
        found = [isinstance(scheduler, schedulers.LRScheduler)]
        for _ in range(12):
            optimizer.step()
            scheduler.step()
            found += [optimizer.param_groups[0]["lr"], *scheduler.get_last_lr(), scheduler._step_count]
        return found

    as_torch(run)


def test_hooks_run_once_around_a_step_that_calls_its_base_class() -> None:
    """In PyTorch they run once or twice, by whether the base class was ever used by itself."""
    lib, seen = nbtorch_side(), []
    optimizer = derived(lib, [lib.arange(3).requires_grad_()])
    optimizer.param_groups[0]["params"][0].grad = lib.arange(3)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.step()
    assert seen == ["before", "after"]


MODULES = "_adafactor _muon adadelta adagrad adam adamax adamw asgd lbfgs nadam radam rmsprop rprop sgd sparse_adam"


@pytest.mark.parametrize("module", MODULES.split())
def test_each_optimizer_has_pytorchs_module(module: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        found = part(lib, module)
        classes = (name for name in torch_ref.optim.__all__ if name != "Optimizer")
        return [name for name in classes if getattr(lib.optim, name, 0) is getattr(found, name, 1)]

    as_torch(run)


OLD_ORDER = [
    lambda lib, x, m, b: [x.add(2, x), lib.add(x, 2, x), x.sub(2, x), x.clone().add_(2, x), x.clone().sub_(-0.5, x)],
    lambda lib, x, m, b: [x.addcmul(2, x, x), lib.addcmul(x, 0.5, x, x), x.clone().addcmul_(-1, x, x)],
    lambda lib, x, m, b: [x.addcdiv(2, x, x), x.clone().addcdiv_(2, x, x)],
    lambda lib, x, m, b: [
        m.addmm(2, 3, m, m),
        m.addmm(2, m, m),
        lib.addmm(2, m, 3, m, m),
        m.clone().addmm_(1, -2, m, m),
    ],
    lambda lib, x, m, b: [x.addmv(2, 3, m, x), m.addr(2, 3, x, x), lib.baddbmm(2, b, 3, b, b), lib.addbmm(2, m, b, b)],
    lambda lib, x, m, b: x.add_(1, 2, 3),
    lambda lib, x, m, b: x.add(x, 2),
    lambda lib, x, m, b: lib.add(2, x, x),
    lambda lib, x, m, b: lib.addcmul(x, x, x, 2),
]


@pytest.mark.parametrize("case", OLD_ORDER)
def test_factors_before_tensors(case: Any, torch_ref: Any) -> None:
    as_torch(lambda lib: case(lib, lib.arange(3), lib.arange(3, 3), lib.arange(2, 3, 3)))


def test_a_copy_of_pytorchs_own_style(torch_ref: Any) -> None:
    """What an optimiser needs that began as a copy of one of PyTorch's files."""

    def run(lib: Any) -> Any:
        inner = part(lib, "optimizer")

        class Copied(inner.Optimizer):  # type: ignore[misc, name-defined]
            """{_params_doc}"""

            def __init__(self, params: inner.ParamsT, lr: float = 0.1) -> None:
                super().__init__(params, {"lr": lr, "foreach": None, "differentiable": False})

            @inner._use_grad_for_differentiable
            def step(self, closure: Any = None) -> None:
                self._cuda_graph_capture_health_check()
                for group in self.param_groups:
                    params = [p for p in group["params"] if p.grad is not None]
                    _, foreach = inner._default_to_fused_or_foreach(params, False)
                    together = self._group_tensors_by_device_and_dtype([params, [p.grad for p in params]])
                    for (some, grads), places in together.values():
                        inner._view_as_real(some, grads)
                        for p, grad in zip(some, grads, strict=True):
                            count = self.state[p].setdefault(
                                "step", lib.library.zeros((), dtype=inner._get_scalar_dtype())
                            )
                            count += 1
                            one_step(p, grad, group["lr"] / inner._get_value(count) + len(places) + foreach)

        @inner._disable_dynamo_if_unsupported(single_tensor_fn=None)
        def one_step(p: Any, grad: Any, lr: float) -> None:
            p.add_(grad, alpha=-lr)

        params = [lib.arange(3).requires_grad_(), lib.arange(2, 2).requires_grad_(), lib.arange(1).requires_grad_()]
        optimizer = Copied(params)
        for _ in range(3):
            for p in params[:2]:
                p.grad = p.detach() + 1
            optimizer.step()
        return [p.detach() for p in params]

    as_torch(run)
