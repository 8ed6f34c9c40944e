"""Small training steps, to be run as they are and captured: what comes out has to be the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import nbtorch as torch
from nbtorch import nn

F = nn.functional
STEPS: dict[str, Callable[[], tuple[Any, Any]]] = {}  # name -> a maker of (step, module)


def floats(*shape: int, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def classes(below: int, *shape: int, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed).integers(0, below, shape))


def bits(x: Any) -> Any:
    """What two results have to have in common."""
    if isinstance(x, torch.Tensor):
        return (x.dtype, tuple(x.shape), x.numpy(force=True).tobytes(), x.requires_grad, type(x.grad_fn).__name__)
    if isinstance(x, (list, tuple)):
        return [type(x), *map(bits, x)]
    if isinstance(x, dict):
        return {key: bits(value) for key, value in x.items()}
    return type(x), x


def state(module: Any) -> Any:
    """All that a step may have changed in a module: its numbers, its gradients, its counts of changes."""
    grads = {name: None if p.grad is None else bits(p.grad) for name, p in module.named_parameters()}
    return bits(module.state_dict()), grads, [p._version for p in module.parameters()]


def training(module: Any, criterion: Any, optimizer: Any, x: Any, y: Any, clip: Any = None) -> tuple[Any, Any]:
    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(module(x), y)
        loss.backward()
        if clip is not None:
            clip(module.parameters())
        optimizer.step()
        return loss

    return step, module


def make(function: Callable[[], tuple[Any, Any]]) -> Callable[[], tuple[Any, Any]]:
    STEPS[function.__name__] = function
    return function


def mlp(optimizer: str = "SGD", criterion: Any = None, y: Any = None, clip: Any = None, **options: Any) -> Any:
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    made = getattr(torch.optim, optimizer)(module.parameters(), **options)
    y = classes(3, 7) if y is None else y
    return training(module, criterion or nn.CrossEntropyLoss(), made, floats(7, 4), y, clip)


def _named_steps() -> Iterator[tuple[str, Callable[[], tuple[Any, Any]]]]:
    optimizers: list[tuple[str, dict[str, Any]]] = [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("SGD", {"lr": 0.1, "maximize": True}),
        ("Adam", {"lr": 0.01}),
        ("AdamW", {"lr": 0.01, "amsgrad": True}),
        ("RMSprop", {"lr": 0.01}),
        ("Adagrad", {"lr": 0.01}),
        ("NAdam", {"lr": 0.01}),
    ]
    for name, options in optimizers:
        yield f"{name} {options}", lambda name=name, options=options: mlp(name, **options)  # type: ignore[misc]
    for loss in ("L1Loss", "SmoothL1Loss", "BCEWithLogitsLoss", "MSELoss", "GaussianNLL"):
        criterion: Any = getattr(nn, loss, None) and getattr(nn, loss)()
        if criterion is None:
            criterion = lambda out, y: F.gaussian_nll_loss(out, y, out.exp())  # noqa: E731
        yield loss, lambda criterion=criterion: mlp(criterion=criterion, y=floats(7, 3), lr=0.01)  # type: ignore[misc]
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.tensor([1.0, 2.0, 3.0]), reduction="sum")
    yield "smoothed", lambda: mlp(criterion=smooth, lr=0.01)
    yield "margin", lambda: mlp(criterion=nn.MultiMarginLoss(), lr=0.01)
    yield "nll", lambda: mlp(criterion=lambda out, y: F.nll_loss(F.log_softmax(out, 1), y), lr=0.01)
    yield "clip norm", lambda: mlp(lr=0.1, clip=lambda ps: nn.utils.clip_grad_norm_(ps, 0.1))
    yield "clip value", lambda: mlp("Adam", clip=lambda ps: nn.utils.clip_grad_value_(ps, 0.01))


STEPS.update(_named_steps())


@make
def linear_regression() -> Any:
    module = nn.Linear(1, 1)
    return training(
        module, nn.MSELoss(), torch.optim.SGD(module.parameters(), lr=0.01), floats(4, 1), floats(4, 1, seed=1)
    )


@make
def images() -> Any:
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3),
        nn.Conv2d(4, 3, 3), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3, 3),
    )  # fmt: skip
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    return training(module, nn.CrossEntropyLoss(), optimizer, floats(3, 2, 8, 8), classes(3, 3))


@make
def skip_connections() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(1, 2, 3, padding=1)
            self.b = nn.Conv2d(2, 4, 3, stride=2, padding=1)
            self.c = nn.ConvTranspose2d(4, 2, 2, 2)
            self.d = nn.Conv2d(4, 1, 1)
            self.norm = nn.GroupNorm(2, 4)

        def forward(self, x: Any) -> Any:
            a = F.relu(self.a(x))
            return self.d(torch.cat([self.c(F.silu(self.norm(self.b(a)))), a], 1))

    module = Net()
    x, y = floats(2, 1, 6, 6), floats(2, 1, 6, 6, seed=1)
    return training(module, nn.MSELoss(), torch.optim.Adam(module.parameters()), x, y)


class Reader(nn.Module):
    """A recurrent layer, and a linear one on its last output."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(3, 4, batch_first=True)
        self.last = nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        return self.last(self.layer(x)[0][:, -1])


def _reader(kind: str) -> Any:
    module = Reader(kind)
    return training(
        module, nn.CrossEntropyLoss(), torch.optim.Adam(module.parameters()), floats(3, 5, 3), classes(3, 3)
    )


for _kind in ("RNN", "LSTM", "GRU"):
    STEPS[_kind] = lambda kind=_kind: _reader(kind)  # type: ignore[misc]


class Block(nn.Module):
    """Attention to what came before, and a small network for each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.heads, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.net = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(0.1))

    def forward(self, x: Any) -> Any:
        n, t, c = x.shape
        parts = self.heads(self.first(x)).split(c, 2)
        q, k, v = [part.view(n, t, 2, c // 2).transpose(1, 2) for part in parts]
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.joined(out.transpose(1, 2).contiguous().view(n, t, c))
        return x + self.net(self.second(x))


class Writer(nn.Module):
    """A small language model whose first and last weights are one."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(7, 4), nn.Embedding(5, 4)
        self.blocks, self.norm = nn.Sequential(Block(4), Block(4)), nn.LayerNorm(4)
        self.out = nn.Linear(4, 7, bias=False)
        self.out.weight = self.words.weight

    def forward(self, tokens: Any) -> Any:
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1]))
        return self.out(self.norm(self.blocks(x)))


@make
def language_model() -> Any:
    module = Writer()

    def criterion(out: Any, y: Any) -> Any:
        return F.cross_entropy(out.view(-1, 7), y.view(-1))

    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
    clip = lambda ps: nn.utils.clip_grad_norm_(ps, 1.0)  # noqa: E731
    return training(module, criterion, optimizer, classes(7, 2, 5), classes(7, 2, 5, seed=1), clip)


@make
def transformer_layer() -> Any:
    module = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    optimizer = torch.optim.Adam(module.parameters())
    return training(module, nn.MSELoss(), optimizer, floats(2, 3, 4), floats(2, 3, 4, seed=1))


def _parts() -> tuple[Any, Any, Any, Any]:
    module = nn.Linear(4, 2)
    return module, torch.optim.SGD(module.parameters(), lr=0.1), floats(6, 4), floats(6, 2, seed=1)


@make
def accumulated_gradients() -> Any:
    module, optimizer, x, y = _parts()

    def step() -> Any:
        optimizer.zero_grad()
        total = 0
        for half in (slice(3), slice(3, 6)):
            loss = F.mse_loss(module(x[half]), y[half]) / 2
            loss.backward()
            total = total + loss.detach()
        optimizer.step()
        return total

    return step, module


@make
def averaged_weights() -> Any:
    module, optimizer, x, y = _parts()
    mean = [p.detach().clone() for p in module.parameters()]
    parameters = list(module.parameters())
    module.mean = nn.ParameterList([nn.Parameter(m, requires_grad=False) for m in mean])

    def step() -> Any:
        optimizer.zero_grad(set_to_none=False)
        loss = F.mse_loss(module(x), y)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for m, p in zip(module.mean, parameters, strict=True):
                m.mul_(0.9).add_(p, alpha=0.1)
        return loss.detach(), loss.item()

    return step, module


@make
def by_hand() -> Any:
    module, _, x, y = _parts()

    def step() -> Any:
        loss = F.mse_loss(module(x), y)
        loss.backward()
        with torch.no_grad():
            for p in module.parameters():
                p -= 0.1 * p.grad
                p.grad.zero_()
        for p in module.parameters():
            p.data -= 0.01 * p.grad.data
            p.data.mul_(0.99)
        return {"loss": loss.item(), "right": ((module(x) > 0) == (y > 0)).sum().item(), "fixed": ["text", 3]}

    return step, module


@make
def gradients_of_gradients() -> Any:
    module, optimizer, x, y = _parts()

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(module(x).tanh(), y)
        (slope,) = torch.autograd.grad(loss, module.weight, create_graph=True)
        (loss + slope.pow(2).sum()).backward()
        optimizer.step()
        return loss.detach(), slope.detach()

    return step, module


@make
def schedule_inside() -> Any:
    module, optimizer, x, y = _parts()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(module(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        return float(loss)

    return step, module


@make
def random_numbers() -> Any:
    module, optimizer, x, y = _parts()

    def step() -> Any:
        optimizer.zero_grad()
        noisy = x + torch.randn(6, 4) * 0.1 + torch.rand_like(x) + torch.randn(3, 1).mean()
        loss = F.mse_loss(F.dropout(module(noisy), 0.4)[torch.randperm(6)], y + torch.randint(0, 3, (6, 2)))
        loss.backward()
        optimizer.step()
        return loss

    return step, module


@make
def adversaries() -> Any:
    both = nn.ModuleList([nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(0.2), nn.Linear(4, 3)), nn.Linear(3, 1)])
    makes, judges = both
    first, second = (torch.optim.Adam(m.parameters(), lr=0.01) for m in both)
    x, criterion = floats(5, 3), nn.BCEWithLogitsLoss()

    def step() -> Any:
        z = torch.randn(5, 2)
        second.zero_grad()
        one = criterion(judges(x), torch.ones(5, 1)) + criterion(judges(makes(z).detach()), torch.zeros(5, 1))
        one.backward()
        second.step()
        first.zero_grad()
        other = criterion(judges(makes(z)), torch.ones(5, 1))
        other.backward()
        first.step()
        return one.item(), other.item()

    return step, both


@make
def own_function_and_hooks() -> Any:
    module, optimizer, x, y = _parts()

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a * a

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * g

    module.weight.register_hook(lambda g: g * 0.5)
    module.register_forward_hook(lambda _, inputs, out: out + inputs[0].mean())

    def step() -> Any:
        optimizer.zero_grad()
        loss = Square.apply(module(x) - y).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, module


@make
def forward_only() -> Any:
    module, _, x, _ = _parts()

    def step() -> Any:
        with torch.no_grad():
            out = module(x)
            return out, out.argmax(1), x, module.weight.detach()

    return step, module


@make
def leaf_inside() -> Any:
    module, optimizer, x, y = _parts()

    def step() -> Any:
        inside = x.clone().requires_grad_()
        loss = F.mse_loss(module(inside), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach(), inside.grad, inside.grad.norm()

    return step, module


@make
def mapped() -> Any:
    module, optimizer, x, _ = _parts()

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.vmap(lambda row: (module.weight @ row).sin().sum())(x).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step, module
