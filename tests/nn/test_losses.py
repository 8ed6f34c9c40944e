"""Losses where PyTorch's database doesn't reach: shapes that differ, edges of dtype and size, names of nodes."""

from __future__ import annotations

import warnings
from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402
from nbtorch.nn import functional as F  # noqa: E402


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_a_column_against_a_row_is_loud(name: str) -> None:
    """The classic: predictions (N, 1) and targets (N,) make (N, N) differences, and training goes nowhere."""
    column, row = helpers.to_nbtorch(np.zeros((4, 1))), helpers.to_nbtorch(np.zeros(4))
    with pytest.warns(UserWarning) as caught:
        getattr(F, name)(column, row)
    text = str(caught[0].message)
    with pytest.warns(UserWarning) as theirs:
        getattr(torch.nn.functional, name)(torch.zeros(4, 1), torch.zeros(4))
    assert text.startswith(str(theirs[0].message)), "PyTorch's own words come first"
    assert f"{name} of input (4, 1) and target (4,)" in text
    assert "(4, 4), 16 differences, where 4 predictions have 4 targets" in text
    assert "THE LOSS AND ITS GRADIENT ARE NOT WHAT YOU WANT" in text
    assert "fix: target.reshape(4, 1), or input.squeeze(1)" in text
    assert caught[0].filename == __file__, "the warning names the user's line"


def test_the_module_warns_of_the_users_line_too() -> None:
    with pytest.warns(UserWarning, match="16 differences") as caught:
        nbtorch.nn.MSELoss()(helpers.to_nbtorch(np.zeros(4)), helpers.to_nbtorch(np.zeros((4, 1))))
    assert "fix: target.reshape(4), or target.squeeze(1)" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_equal_shapes_are_silent_and_a_meant_broadcast_is_told_how_to_say_so() -> None:
    x = helpers.to_nbtorch(np.zeros((4, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.mse_loss(x, x)
    with pytest.warns(UserWarning, match="target.expand_as"):
        F.mse_loss(x, x[0])


CALLS: dict[str, Any] = {
    "mse of nothing": lambda F, t: F.mse_loss(t[:0], t[:0]),
    "mse of float and integers": lambda F, t: F.mse_loss(t, t.long()),
    "mse of two widths": lambda F, t: F.mse_loss(t, t.double()),
    "mse 0-d": lambda F, t: F.mse_loss(t[0, 0], t[1, 1]),
    "mse of a transpose": lambda F, t: F.mse_loss(t.t(), t.t().flip(0), reduction="none"),
    "huber keeps the width of the input": lambda F, t: F.huber_loss(t, t.double()),
    "smooth_l1 with beta 0": lambda F, t: F.smooth_l1_loss(t, t.flip(0), beta=0.0),
    "smooth_l1 of NaN and infinities": lambda F, t: F.smooth_l1_loss(t / 0, t, reduction="none"),
    "bce at 0 and 1": lambda F, t: F.binary_cross_entropy((t > 0).float(), (t < 0).float()),
    "bce of nothing": lambda F, t: F.binary_cross_entropy(t[:0], t[:0]),
    "bce logits of large numbers": lambda F, t: F.binary_cross_entropy_with_logits(t * 1e3, t.sigmoid()),
    "bce logits of two widths": lambda F, t: F.binary_cross_entropy_with_logits(t, t.double()),
    "nll of nothing": lambda F, t: F.nll_loss(t[:0], t[:0, 0].long()),
    "nll where nothing counts": lambda F, t: F.nll_loss(t, t[:, 0].long() * 0 + 1, ignore_index=1),
    "nll of bytes": lambda F, t: F.nll_loss(t, (t[:, 0] > 0).byte()),
    "nll of one sample": lambda F, t: F.nll_loss(t[0], t[0].argmax(), reduction="none"),
    "cross_entropy of nothing": lambda F, t: F.cross_entropy(t[:0], t[:0, 0].long()),
    "cross_entropy of probabilities, nothing": lambda F, t: F.cross_entropy(t[:0], t[:0]),
    "kl_div at 0": lambda F, t: F.kl_div(t, t.clamp(min=0), reduction="sum"),
    "kl_div below 0": lambda F, t: F.kl_div(t, t, reduction="none"),
    "soft_margin of a row": lambda F, t: F.soft_margin_loss(t, t[0]),
    "soft_margin of integers": lambda F, t: F.soft_margin_loss(t.long(), t),
    "soft_margin against integers": lambda F, t: F.soft_margin_loss(t, t.long()),
    "multi_margin of one": lambda F, t: F.multi_margin_loss(t[0], t[0].argmax().reshape(1), reduction="none"),
    "multi_margin out of range": lambda F, t: F.multi_margin_loss(t, t[:, 0].long() * 0 + 3),
    "multi_margin 3-d": lambda F, t: F.multi_margin_loss(t[None], t[:, 0].long()),
    "multilabel twice the same": lambda F, t: F.multilabel_margin_loss(t[0], t[0].long() * 0),
    "multilabel out of range": lambda F, t: F.multilabel_margin_loss(t[0], t[0].long() * 0 + 3),
    "cosine_embedding of integers": lambda F, t: F.cosine_embedding_loss(t.long(), t.long(), t[:, 0].sign()),
    "cosine_embedding one target for many": lambda F, t: F.cosine_embedding_loss(t, t, t[0, 0]),
    "hinge of a row": lambda F, t: F.hinge_embedding_loss(t, t[0].sign()),
    "margin_ranking of integers": lambda F, t: F.margin_ranking_loss(t.long(), t.long(), t.long()),
    "triplet of vectors": lambda F, t: F.triplet_margin_loss(t[0], t[1], t[2], p=1, swap=True),
    "triplet broadcast": lambda F, t: F.triplet_margin_loss(t, t[:1], t.flip(0)),
    "mse of integers": lambda F, t: F.mse_loss(t.long(), t.long()),
    "mse with an unknown reduction": lambda F, t: F.mse_loss(t, t, reduction="batchmean"),
    "kl_div of integers": lambda F, t: F.kl_div(t, t.long()),
    "bce of two widths": lambda F, t: F.binary_cross_entropy(t.sigmoid(), t.sigmoid().double()),
    "bce of a target beyond 1": lambda F, t: F.binary_cross_entropy(t.sigmoid(), t),
    "bce with a weight that is too large": lambda F, t: F.binary_cross_entropy(t.sigmoid(), t.sigmoid(), t[None]),
    "bce logits of integers": lambda F, t: F.binary_cross_entropy_with_logits(t, t.long()),
    "nll of integers": lambda F, t: F.nll_loss(t.long(), t[:, 0].long() * 0),
    "nll with targets of int32": lambda F, t: F.nll_loss(t, t[:, 0].int()),
    "nll with several targets": lambda F, t: F.nll_loss(t, t.long()),
    "nll with a weight of another width": lambda F, t: F.nll_loss(t, t[:, 0].long() * 0, t[0].double()),
    "nll of a number": lambda F, t: F.nll_loss(t[0, 0], t[0, 0].long()),
    "cross_entropy of a number": lambda F, t: F.cross_entropy(t[0, 0], t[0, 0].long()),
    "cross_entropy of probabilities with ignore_index": lambda F, t: F.cross_entropy(t, t, ignore_index=1),
    "cross_entropy of too few targets": lambda F, t: F.cross_entropy(t, t[:2]),
}


# A device is not asked for its numbers before it computes.
BY_VALUE = {"bce of a target beyond 1", "multi_margin out of range", "multilabel out of range"}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_edges(name: str) -> None:
    if name in BY_VALUE and helpers.device_name() != "cpu":
        pytest.skip("refused for its numbers")
    numbers = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    try:
        expected = CALLS[name](torch.nn.functional, helpers.to_torch(numbers))
    except Exception as error:
        with pytest.raises(type(error)):
            CALLS[name](F, helpers.to_nbtorch(numbers))
        return
    helpers.same(CALLS[name](F, helpers.to_nbtorch(numbers)), expected)


NODES: dict[str, Any] = {
    "mse_loss": lambda F, x, c: F.mse_loss(x, x.detach() * 2, reduction="none"),
    "l1_loss": lambda F, x, c: F.l1_loss(x, x.detach()),
    "smooth_l1_loss": lambda F, x, c: F.smooth_l1_loss(x, x.detach()),
    "huber_loss": lambda F, x, c: F.huber_loss(x, x.detach()),
    "binary_cross_entropy": lambda F, x, c: F.binary_cross_entropy(x.sigmoid(), x.detach().sigmoid()),
    "bce_with_logits": lambda F, x, c: F.binary_cross_entropy_with_logits(x, x.detach().sigmoid()),
    "nll_loss": lambda F, x, c: F.nll_loss(x, c, reduction="none"),
    "nll_loss2d": lambda F, x, c: F.nll_loss(x[:, :, None, None].expand(4, 3, 2, 2), c[:, None, None].expand(4, 2, 2)),
    "cross_entropy": lambda F, x, c: F.cross_entropy(x, c),
    "soft_margin_loss": lambda F, x, c: F.soft_margin_loss(x, x.detach()),
    "multi_margin_loss": lambda F, x, c: F.multi_margin_loss(x, c),
    "multilabel_margin_loss": lambda F, x, c: F.multilabel_margin_loss(x, x.detach().long()),
}


@pytest.mark.parametrize("name", NODES)
def test_names_of_nodes(name: str) -> None:
    numbers, classes = np.ones((4, 3)), np.array([0, 1, 2, 1])
    theirs = NODES[name](torch.nn.functional, helpers.to_torch(numbers, requires_grad=True), helpers.to_torch(classes))
    mine = NODES[name](F, helpers.to_nbtorch(numbers, requires_grad=True), helpers.to_nbtorch(classes))
    assert mine.grad_fn.name() == theirs.grad_fn.name()
