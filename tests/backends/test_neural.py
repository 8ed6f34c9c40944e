"""How exact the primitives of networks are in single precision, and those that go a way there and a way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends.test_primitives import BACKENDS, ORACLE, ROUGH
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_cases import filled

from nbtorch.backends import get_backend


def there_and_back(m: Any, name: str, args: list[Any], static: tuple[Any, ...], needs: tuple[bool, ...]) -> list[Any]:
    """The results of a layer of recurrent cells on host arrays, and the gradients that are needed."""
    up = [None if a is None else m.from_host(a.copy()) for a in args]
    with np.errstate(all="ignore"):
        *results, kept = getattr(m, name)(*up, *static)
        grads = [m.from_host(filled(i, r.shape, str(r.dtype))) for i, r in enumerate(results)]
        states = len(results) - 1
        weights = (up[0], *up[1 + states : 3 + states], *up[5 + states :], up[3 + states] is not None)
        found = getattr(m, f"{name}_backward")(*grads, *weights, *static, kept, needs)
    wanted = [f for f, need, a in zip(found, needs, args, strict=True) if need and a is not None]
    return [m.to_host(x) for x in (*results, *wanted)]


@pytest.mark.parametrize(("name", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
@pytest.mark.parametrize("where", BACKENDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_recurrent_layer_equals_its_generic_body(where: str, name: str, gates: int, data: st.DataObject) -> None:
    draw = data.draw
    sizes = draw(st.sampled_from([(2,), (3, 3, 3), (1,) * 6, (4, 4, 2, 1)]))
    ins, n, dtype = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.sampled_from(["float32", "float64"]))
    p = draw(st.sampled_from([None, None, 2])) if name == "lstm" else None
    shifted, seed = draw(st.booleans()), draw(st.integers(0, 10**6))
    real, count = p or n, sizes[0]
    shapes: list[Any] = [(sum(sizes), ins), (count, real)]
    shapes += [(count, n)] if name == "lstm" else []
    shapes += [(gates * n, ins), (gates * n, real)]
    shapes += [(gates * n,), (gates * n,)] if shifted else [None, None]
    shapes += [None if p is None else (p, n)] if name == "lstm" else []
    relu = (draw(st.booleans()),) if name == "rnn" else ()
    spread = 0.5 if relu == (True,) else draw(st.sampled_from([0.5, 100.0]))
    args = [None if s is None else filled(seed + i, s, dtype, spread) for i, s in enumerate(shapes)]
    if draw(st.integers(0, 4)) == 0 and relu != (True,):
        args[0][0, 0] = draw(st.sampled_from([np.nan, np.inf]))
    static = (*relu, sizes, draw(st.booleans()))
    needs = tuple(draw(st.tuples(*[st.booleans()] * len(args))))
    actual = there_and_back(get_backend(where), name, args, static, needs)
    rough = ROUGH[dtype] * (1 if spread < 1 else 50)
    for a, e in zip(actual, there_and_back(ORACLE, name, args, static, needs), strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_allclose(a, e, rtol=rough, atol=rough)


@pytest.mark.parametrize("where", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_attention_equals_its_generic_body(where: str, data: st.DataObject) -> None:
    draw = data.draw
    lead = draw(st.sampled_from([(), (3,), (2, 2), (40, 1)]))
    length, keys = draw(st.sampled_from([(3, 3), (5, 2), (2, 7), (150, 150), (140, 9), (70, 200)]))
    size, width = draw(st.sampled_from([(4, 4), (3, 5)]))
    if lead == (40, 1) and length < 100:
        length = keys = 64
    seed, spread = draw(st.integers(0, 10**6)), draw(st.sampled_from([1.0, 6.0]))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    args = [
        filled(seed + i, s, dtype, spread)
        for i, s in enumerate(
            [(*lead, length, size), (*lead, keys, size), (*lead, keys, width), (*lead, length, width)]
        )
    ]
    if draw(st.booleans()) and len(lead) == 2:  # heads beside each other in memory
        args = [np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2) for a in args]
    causal, needs = draw(st.booleans()), tuple(draw(st.tuples(*[st.booleans()] * 4)))
    if not causal and draw(st.integers(0, 4)) == 0:  # under a causal mask they don't reach the queries before
        args[draw(st.integers(0, 2))][..., 0, 0] = draw(st.sampled_from([np.nan, np.inf]))
    *inputs, g = args
    bias = draw(st.sampled_from([None, (length, keys), (1, keys)]))
    parts = [None if bias is None else filled(seed + 4, bias, dtype)]
    parts.append(None if draw(st.booleans()) else (filled(seed + 5, (length, 1), dtype) > 0).astype(dtype))
    parts.append(None if draw(st.booleans()) else (filled(seed + 6, (*lead, length, keys), dtype) > 0).astype(dtype))
    found = []
    for m in (get_backend(where), ORACLE):
        up = [None if a is None else m.from_host(a) for a in (*inputs, *parts)]
        with np.errstate(all="ignore"):
            out, kept = m.attention(*up, 0.3, causal)
            grads = m.attention_backward(m.from_host(g), *up, 0.3, causal, kept, needs)
        found.append([None if x is None else m.to_host(x) for x in (out, *grads)])
    rough = ROUGH[dtype] * 20 * spread
    for actual, expected in zip(*found, strict=True):
        if expected is None:
            assert actual is None
            continue
        np.testing.assert_allclose(actual, expected, rtol=rough, atol=rough * spread)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_rows_added_at_places_named_twice(data: st.DataObject) -> None:
    draw = data.draw
    shape = draw(st.sampled_from([(5,), (3, 4), (300, 40), (80, 3, 5), (7, 2, 3), (2, 0)]))
    depth, seed = draw(st.integers(1, len(shape))), draw(st.integers(0, 10**6))
    rng, dtype = np.random.default_rng(seed), draw(st.sampled_from(["float32", "float64", "float16", "int64"]))
    count = draw(st.sampled_from([(), (1,), (4, 3), (400,), (0,)]))
    low = draw(st.sampled_from([0, -1]))
    most = [draw(st.sampled_from([n, max(n // 9, 1)])) for n in shape]
    if 0 in shape[:depth]:
        return
    index: Any = tuple([rng.integers(low * n, n, count) for n in most[:depth]])
    index = index[0] if depth == 1 and draw(st.booleans()) else index
    values = filled(seed, (*count, *shape[depth:]), dtype)
    if draw(st.integers(0, 3)) == 0 and values.size and dtype != "int64":
        values[(0,) * values.ndim] = np.inf
    if values.ndim and draw(st.booleans()):
        values = values[..., :1]
    x = filled(seed + 1, shape, dtype)
    expected = x.copy()
    get_backend("cpu").add_at(x, index, values)
    np.add.at(expected, index, values)
    np.testing.assert_allclose(x, expected, rtol=ROUGH.get(dtype, 0), atol=10 * ROUGH.get(dtype, 0))
