"""Every class of PyTorch's database of modules, on its inputs and its mistakes: what agrees, counted.

``torch.testing._internal.common_modules.module_db`` has for each class of ``torch.nn`` inputs for its constructor and
its forward, and mistakes. For each input both libraries make the module from equal seeds, and these are compared: what
it prints and its state; the results; the gradients of inputs and parameters; what ten steps of SGD make of them;
and that copies, pickles and loaded states compute the same as the module.
"""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import helpers
import numpy as np

torch = helpers.import_torch()

from conformance import oracle  # noqa: E402
from conformance.certify import spread, text  # noqa: E402
from conformance.oracle import Stage  # noqa: E402

import nbtorch  # noqa: E402

STAGES = ("made", "result", "gradient", "training", "copy", "error")
DTYPES = (torch.float64, torch.float32)
STEPS = 10

# What is left out, and why. Nothing of the database is; a class that nbtorch lacks fails.
OUT_OF_SCOPE: dict[str, str] = {}
# Classes that don't agree in everything, and why.
RED: dict[str, str] = {}

# Sums in another order: (relative, absolute) differences after the steps of training, in float32.
_TRAINED = {"float64": (1e-6, 1e-7), "float32": (5e-4, 5e-5)}
_RESULT = {"float64": (1e-7, 1e-9), "float32": (1e-5, 1e-5)}
# What float32 leaves of the differences of logarithms beyond 100.
_COARSE = {"CTCLoss": {"float64": (1e-7, 1e-8), "float32": (2e-3, 2e-4)}}
_GRADIENT = {"float64": (1e-7, 1e-8), "float32": (5e-5, 5e-5)}


@functools.cache
def database() -> dict[str, Any]:
    """PyTorch's records of its modules, by name."""
    from torch.testing._internal.common_modules import module_db

    return {info.name.removeprefix("nn."): info for info in module_db}


def inputs(info: Any, dtype: Any, training: bool) -> list[Any]:
    """The examples of one class."""
    torch.default_generator.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: list[Any] = info.module_inputs_func(
            info, device="cpu", dtype=dtype, requires_grad=True, training=training
        )
    return made


def count(name: str) -> int:
    """How many inputs the database has for a class (of evaluation and training, where more)."""
    return max(len(inputs(database()[name], torch.float64, training)) for training in (True, False))


def counterpart(given: Any) -> Any:
    """Arguments with PyTorch's functions and modules exchanged for nbtorch's."""
    if isinstance(given, dict):
        return {name: counterpart(v) for name, v in given.items()}
    if isinstance(given, torch.nn.TransformerEncoderLayer):
        attention = given.self_attn
        layer = nbtorch.nn.TransformerEncoderLayer(
            attention.embed_dim, attention.num_heads, given.linear1.out_features, given.dropout.p,
            counterpart(given.activation), given.norm1.eps, attention.batch_first, given.norm_first,
            given.linear1.bias is not None, dtype=oracle.translate(given.linear1.weight.dtype),
        )  # fmt: skip
        layer.load_state_dict({k: helpers.to_nbtorch(v) for k, v in given.state_dict().items()})
        return layer.train(given.training)
    if isinstance(given, torch.nn.LinearCrossEntropyOptions):
        fields = {name: getattr(given, name) for name in given.__slots__}
        return nbtorch.nn.LinearCrossEntropyOptions(**oracle.translate(fields))
    if callable(given) and not isinstance(given, (torch.Tensor, type)):
        return getattr(nbtorch.nn.functional, given.__name__)
    if isinstance(given, complex):
        return given
    if isinstance(given, (tuple, list)) and not isinstance(given, torch.Size):
        return type(given)(counterpart(v) for v in given)
    return oracle.translate(given)


def pair(name: str, arguments: Any, keywords: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The module on both sides, of the dtype at once where the class takes one, else converted."""
    theirs_class, mine_class = getattr(torch.nn, name), getattr(nbtorch.nn, name)
    keywords = dict(keywords)
    takes_dtype = "dtype" in inspect.signature(theirs_class).parameters or issubclass(theirs_class, torch.nn.RNNBase)
    if takes_dtype and dtype == torch.float64:
        keywords.setdefault("dtype", dtype)
    made = []
    for library, cls in ((torch, theirs_class), (nbtorch, mine_class)):
        args, kwargs = (arguments, keywords) if library is torch else (counterpart(arguments), counterpart(keywords))
        if library is nbtorch and "dtype" in kwargs:
            kwargs["device"] = helpers.device_name()
        library.manual_seed(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.append(cls(*copy.deepcopy(args), **kwargs))
    theirs, mine = made
    return theirs.to(dtype), mine.to(helpers.device_name(), oracle.translate(dtype))


def leaves(given: Any) -> Any:
    """Leaves of their own: the database may give one tensor twice, or one that is no leaf."""
    if isinstance(given, torch.Tensor):
        return given.detach().clone().requires_grad_(given.requires_grad)
    if isinstance(given, dict):
        return {name: leaves(v) for name, v in given.items()}
    return type(given)(leaves(v) for v in given) if isinstance(given, (tuple, list)) else given


def run(library: Any, module: Any, args: Any, kwargs: Any) -> Any:
    library.manual_seed(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module(*args, **kwargs)


def tensors_of(library: Any, nest: Any) -> list[Any]:
    return oracle.tensors(nest, library.Tensor)


def loss_of(library: Any, result: Any) -> Any:
    """One number that depends on every differentiable result in another way; None where there is none."""
    outs = [o for o in tensors_of(library, result) if o.requires_grad]
    if not outs or not all(o.numel() for o in outs):
        return None
    weights = [np.random.default_rng(i).uniform(0.5, 1.5, tuple(o.shape)) for i, o in enumerate(outs)]
    make = helpers.to_torch if library is torch else helpers.to_nbtorch
    return sum((o * make(w.astype(helpers.dtype_name(o)))).mean() for o, w in zip(outs, weights, strict=True))


def compare_state(mine: Any, theirs: Any, tolerances: Any) -> None:
    """Names, order, shapes, dtypes and numbers of everything that a module holds."""
    for listed in ("state_dict", "named_parameters", "named_buffers"):
        my_own, their_own = dict(getattr(mine, listed)()), dict(getattr(theirs, listed)())
        assert list(my_own) == list(their_own), f"{listed}: {list(my_own)} where {list(their_own)} was expected"
        for name, expected in their_own.items():
            if isinstance(expected, torch.nn.parameter.UninitializedTensorMixin):
                assert nbtorch.nn.parameter.is_lazy(my_own[name])
                continue
            helpers.same(my_own[name], expected, *tolerances.get(helpers.dtype_name(expected), (None, None)))
            assert my_own[name].requires_grad == expected.requires_grad
    assert [n for n, _ in mine.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert [m.training for m in mine.modules()] == [m.training for m in theirs.modules()]


def compare(name: str, made: Any, dtype: Any, training: bool, score: oracle.Score | None = None) -> None:
    """One example of the database on both sides.

    Raises:
        AssertionError: where they differ; a note says at which stage.
    """
    with Stage(score, "made"):
        theirs, mine = pair(name, made.constructor_input.args, made.constructor_input.kwargs, dtype)
        theirs.train(training)
        mine.train(training)
        assert repr(mine) == repr(theirs), f"{mine!r} where {theirs!r} was expected"
        compare_state(mine, theirs, {})
    if made.forward_input is None:
        return
    given, given_kwargs = leaves(made.forward_input.args), leaves(made.forward_input.kwargs)
    x, kwargs = counterpart(given), counterpart(given_kwargs)
    start, their_start = copy.deepcopy(mine), copy.deepcopy(theirs)
    with Stage(score, "result"):
        expected, result = run(torch, theirs, given, given_kwargs), run(nbtorch, mine, x, kwargs)
        oracle.compare_values(result, expected, *_RESULT[helpers.dtype_name(torch.empty(0, dtype=dtype))])
        mine_needs, theirs_need = (
            [o.requires_grad for o in tensors_of(library, r)] for library, r in ((nbtorch, result), (torch, expected))
        )
        assert mine_needs == theirs_need, "requires_grad differs"
        compare_state(mine, theirs, _RESULT)
    with Stage(score, "copy"):
        compare_copies(start, x, kwargs, result)
    their_loss = loss_of(torch, expected)
    if their_loss is None:
        return
    with Stage(score, "gradient"):
        their_leaves, my_leaves = wanted(torch, theirs, (given, given_kwargs)), wanted(nbtorch, mine, (x, kwargs))
        assert len(my_leaves) == len(their_leaves)
        their_grads = torch.autograd.grad(their_loss, their_leaves, allow_unused=True)
        my_grads = nbtorch.autograd.grad(loss_of(nbtorch, result), my_leaves, allow_unused=True)
        oracle.compare_gradients(my_grads, their_grads, their_leaves, _COARSE.get(name, _GRADIENT))
    with Stage(score, "training"):
        my_losses, my_end = train(nbtorch, start, x, kwargs)
        their_losses, their_end = train(torch, their_start, given, given_kwargs)
        assert my_end is their_end
        rtol, atol = _TRAINED[helpers.dtype_name(torch.empty(0, dtype=dtype))]
        helpers.same(my_losses, their_losses, rtol, atol)
        compare_state(start, their_start, _TRAINED)


def wanted(library: Any, module: Any, nest: Any) -> list[Any]:
    return [p for p in (*module.parameters(), *tensors_of(library, nest)) if p.requires_grad]


def train(library: Any, module: Any, args: Any, kwargs: Any) -> tuple[list[float], type | None]:
    """Ten steps of SGD with momentum on parameters and inputs: the losses, and what stopped the training if anything.

    A step may take an input to where the loss refuses it, as ``BCELoss`` does outside [0, 1].
    """
    args, kwargs = fresh(library, args), fresh(library, kwargs)
    run(library, module, args, kwargs)  # lazy modules get their parameters
    optimizer = library.optim.SGD(wanted(library, module, (args, kwargs)), lr=1e-2, momentum=0.9)
    losses: list[float] = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        try:
            loss = loss_of(library, run(library, module, args, kwargs))
        except RuntimeError as error:
            return losses, type(error)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, None


def fresh(library: Any, given: Any) -> Any:
    """The same values in leaves without gradients, so that one comparison leaves nothing to the next."""
    if isinstance(given, library.Tensor):
        return given.detach().clone().requires_grad_(given.requires_grad)
    if isinstance(given, dict):
        return {name: fresh(library, v) for name, v in given.items()}
    return type(given)(fresh(library, v) for v in given) if isinstance(given, (tuple, list)) else given


def compare_copies(module: Any, args: Any, kwargs: Any, result: Any) -> None:
    """A deep copy, a pickled one and one that loaded the state compute what the module computes."""
    loaded = copy.deepcopy(module)
    with nbtorch.no_grad():
        for parameter in loaded.parameters():
            if not nbtorch.nn.parameter.is_lazy(parameter):
                parameter.zero_()
    kept = module.state_dict()
    assert str(loaded.load_state_dict(kept)) == "<All keys matched successfully>"
    shallow = copy.copy(module)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded, shallow):
        assert repr(other) == repr(module)
        assert list(other.state_dict()) == list(kept)
        again = run(nbtorch, other, args, kwargs) if other is not shallow else result
        helpers.same(numbers(again), numbers(result))


def numbers(nest: Any) -> list[Any]:
    return [helpers.to_numpy(t) for t in tensors_of(nbtorch, nest)]


def mistakes(info: Any) -> Iterator[Any]:
    """The wrong constructions and calls of one class."""
    if info.module_error_inputs_func is not None:
        yield from info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=False, training=False
        )


def refuse(name: str, wrong: Any) -> None:
    """A mistake raises PyTorch's class with PyTorch's message, at the same place, and changes no argument."""
    made = wrong.module_error_input
    building = wrong.error_on.name == "CONSTRUCTION_ERROR"
    try:
        mine = getattr(nbtorch.nn, name)(
            *counterpart(made.constructor_input.args), **counterpart(made.constructor_input.kwargs)
        )
        assert not building, "made; PyTorch refuses it"
        mine.to(helpers.device_name())
        x, kwargs = counterpart(made.forward_input.args), counterpart(made.forward_input.kwargs)
        before = numbers((x, kwargs))
        try:
            run(nbtorch, mine, x, kwargs)
        finally:
            helpers.same(numbers((x, kwargs)), before)
    except Exception as error:
        if isinstance(error, AssertionError) and wrong.error_type is not AssertionError:
            raise
        assert type(error) is wrong.error_type or (
            helpers.device_name() != "cpu" and isinstance(error, (wrong.error_type, IndexError))
        ), f"{type(error).__name__}: {error} where PyTorch raises {wrong.error_type.__name__}: {wrong.error_regex}"
        return
    raise AssertionError(f"went through; PyTorch raises {wrong.error_type.__name__}: {wrong.error_regex}")


EVERYTHING = tuple((dtype, training) for dtype in DTYPES for training in (True, False))
# Where not everything is run: each dtype and each mode once.
A_PART = ((torch.float64, True), (torch.float32, False))


def certify(name: str, only: int | None = None) -> oracle.Score:
    """All of a class' inputs in both dtypes, in training and evaluation; or ``only`` so many of them, evenly spread."""
    info, score = database()[name], oracle.Score(STAGES)
    for dtype, training in EVERYTHING if only is None else A_PART:
        for made in spread(inputs(info, dtype, training), only):
            try:
                compare(name, made, dtype, training, score)
            except Exception as error:
                score.failures.append(
                    f"{name}({describe(made.constructor_input)}) on ({describe(made.forward_input)}) {dtype} "
                    f"{'training' if training else 'evaluation'}\n    {' '.join(getattr(error, '__notes__', []))}: "
                    f"{type(error).__name__}: {error}"
                )
    for wrong in mistakes(info):
        try:
            with Stage(score, "error"):
                refuse(name, wrong)
        except Exception as error:
            made = wrong.module_error_input
            score.failures.append(f"{name}({describe(made.constructor_input)}): {type(error).__name__}: {error}")
    return score


def describe(call: Any) -> str:
    """The arguments of a call in short."""
    if call is None:
        return ""
    return ", ".join([*map(text, call.args), *(f"{k}={text(v)}" for k, v in call.kwargs.items())])
