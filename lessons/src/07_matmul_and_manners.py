# %% [markdown] lang="en"
# # 07 · Matmul and manners
#
# *About 50 minutes, the exercises included. You need lessons 05 and 06.*
#
# **The step of a training is one line, `w = w - 0.1 * w.grad`. Your library can compute it. Why does the training break all the same?**
#
# Two things are missing before lesson 08 can train a model. The first is an operation: the matrix product, of which a linear
# layer consists. The second is *manners*: a graph that notes everything also notes what it shouldn't, keeps what it shouldn't,
# and adds where it shouldn't. You will see each of these failures first, and then write the few lines that cure it.
# %% [markdown] lang="ko" of="b7a5a5a6"
# # 07 · 행렬곱과 예절
#
# *연습 문제를 포함해 약 50분. 05번과 06번 수업이 필요합니다.*
#
# **학습의 한 스텝은 `w = w - 0.1 * w.grad` 한 줄입니다. 여러분의 라이브러리로 계산할 수 있습니다. 그런데 왜 학습은 망가질까요?**
#
# 08번 수업에서 모델을 학습시키려면 두 가지가 더 필요합니다. 하나는 연산입니다. 선형 층을 이루는 행렬곱입니다. 다른 하나는 **예절**입니다.
# 모든 것을 기록하는 그래프는 기록하지 말아야 할 것도 기록하고, 놓아야 할 것도 붙들고, 더하지 말아야 할 것도 더합니다. 이런 실패를 하나씩
# 먼저 본 다음, 그것을 고치는 몇 줄을 직접 씁니다.
# %% tags=["setup"]
# %load_ext nbtorch
import weakref

import numpy as np

from nbtorch import course
from nbtorch.course import method
from nbtorch_widgets import MatmulFlow

course.start("07")

from mytorch import Function, Node, Tensor, as_tensor, gradcheck, run_backward, source, tensor, topological_order, unbroadcast
# %% [markdown] lang="en"
# ## 1. Many dot products
#
# Each cell of $C = A B$ is a dot product: row $i$ of $A$ with column $j$ of $B$,
#
# $$C_{ij} = \sum_k A_{ik} B_{kj}.$$
#
# The way forward is NumPy's. What will the way back need? The slope of $A_{ik} B_{kj}$ in $A_{ik}$ is $B_{kj}$, and the other way
# round, as in any product. So both are saved.
# %% [markdown] lang="ko" of="3de98725"
# ## 1. 수많은 내적
#
# $C = A B$의 칸 하나하나는 내적입니다. $A$의 $i$행과 $B$의 $j$열을 곱해 더합니다.
#
# $$C_{ij} = \sum_k A_{ik} B_{kj}$$
#
# 순전파는 NumPy가 합니다. 역전파에는 무엇이 필요할까요? 여느 곱셈처럼 $A_{ik} B_{kj}$의 $A_{ik}$ 방향 기울기는 $B_{kj}$이고, 반대도
# 마찬가지입니다. 그래서 둘 다 저장합니다.
# %%
#@save MatMul
class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

@method(Tensor)
def __matmul__(self, other):
    if len(self.shape) == 1:  # a row, for the time of the product
        return (self.reshape(1, -1) @ other).reshape(other.shape[:-2] + other.shape[1:][-1:])
    if len(other.shape) == 1:  # a column, likewise
        return (self @ other.reshape(-1, 1)).reshape(self.shape[:-1])
    return MatMul.apply(self, other)

Tensor.matmul = Tensor.__matmul__
# %%
A = tensor([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]], requires_grad=True)
B = tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]], requires_grad=True)
C = A @ B
print(C.shape)
print(C)
# %% [markdown] lang="en"
# ## 2. Back, by shapes first
#
# Somebody sends you $G$, the gradient of $C$: one number for each cell of $C$. You owe a gradient to $A$ and one to $B$.
#
# > **Predict.** $A$ is (2, 3), $B$ is (3, 2), $G$ is (2, 2). The gradient of $A$ must be (2, 3). Which product of $G$ and $B$ (with a
# > transpose where you need one) has that shape?
#
# The usual guess is $G B$; but (2, 2) and (3, 2) don't fit. Only $G B^\top$ does. The shapes have found the formula, and the sum over
# paths (lesson 05) says why: $A_{ik}$ reaches the whole row $i$ of $C$, and $C_{ij}$ with the slope $B_{kj}$. Add up what comes back:
#
# $$\text{grad of } A_{ik} = \sum_j G_{ij} B_{kj} = (G B^\top)_{ik}, \qquad \text{grad of } B_{kj} = \sum_i A_{ik} G_{ij} = (A^\top G)_{kj}.$$
# %% [markdown] lang="ko" of="588a9a84"
# ## 2. 거슬러 가기, 모양부터
#
# 누군가 $C$의 그래디언트 $G$를 보내옵니다. $C$의 칸마다 수 하나씩입니다. 여러분은 $A$와 $B$에 그래디언트를 보내야 합니다.
#
# > **예측.** $A$는 (2, 3), $B$는 (3, 2), $G$는 (2, 2)입니다. $A$의 그래디언트는 (2, 3)이어야 합니다. $G$와 $B$를 (필요하면 전치해서) 어떻게
# > 곱해야 이 모양이 될까요?
#
# 흔히 $G B$라고 답하지만 (2, 2)와 (3, 2)는 맞지 않습니다. 맞는 것은 $G B^\top$뿐입니다. 모양이 식을 찾아 주었고, 이유는 경로를 따라 더하는
# 합(05번 수업)에 있습니다. $A_{ik}$는 $C$의 $i$행 전체에 닿고, $C_{ij}$에는 기울기 $B_{kj}$로 닿습니다. 돌아오는 것을 모두 더합니다.
#
# $$A_{ik}\text{의 그래디언트} = \sum_j G_{ij} B_{kj} = (G B^\top)_{ik}, \qquad B_{kj}\text{의 그래디언트} = \sum_i A_{ik} G_{ij} = (A^\top G)_{kj}$$
# %% [markdown] lang="en"
# ### Exercise 1 · `MatMul.backward`  (12 minutes, important)
#
# Write both gradients, for two matrices first. All three are arrays here. Then make it work for *stacks* of matrices, such as
# (5, 2, 3) @ (3, 4):
#
# * `.T` turns all axes of a stack round; `array.swapaxes(-1, -2)` turns only the last two;
# * $B$ was used five times, once for each matrix of the stack: that is broadcasting, and you know how to undo it (lesson 06).
# %% [markdown] lang="ko" of="e06ca290"
# ### 연습 1 · `MatMul.backward`  (12분, 중요)
#
# 두 그래디언트를 쓰세요. 먼저 행렬 두 개일 때입니다. 여기서는 셋 다 배열입니다. 그다음 (5, 2, 3) @ (3, 4)처럼 행렬을 **쌓은** 것에도
# 되게 하세요.
#
# * `.T`는 모든 축을 뒤집습니다. `array.swapaxes(-1, -2)`는 마지막 두 축만 바꿉니다.
# * $B$는 쌓인 행렬마다 한 번씩 다섯 번 쓰였습니다. 바로 브로드캐스팅이고, 되돌리는 법은 06번 수업에서 배웠습니다.
# %%
#@save MatMul.backward
@method(MatMul)
@staticmethod
def backward(ctx, gradient):
    a, b = ctx.saved_tensors
    ### BEGIN SOLUTION
    to_a = gradient @ b.swapaxes(-1, -2)
    to_b = a.swapaxes(-1, -2) @ gradient
    return unbroadcast(to_a, a.shape), unbroadcast(to_b, b.shape)
    ### END SOLUTION
# %%
course.check("MatMul.backward")
# %% [markdown] lang="en"
# Nudging (lesson 04) is the judge, for two matrices, for stacks, and for a row:
# %% [markdown] lang="ko" of="a53a068c"
# 심판은 조금씩 밀어 보는 것(04번 수업)입니다. 행렬 두 개, 쌓은 행렬, 행 하나의 경우입니다.
# %%
draw = np.random.default_rng(0).normal
for one, two in (((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (2, 3, 4)), ((3,), (3, 4))):
    print(one, "@", two, gradcheck(lambda a, b: a @ b, [Tensor(draw(size=one)), Tensor(draw(size=two))]))
# %% [markdown] lang="en"
# Now look at it on your own `A` and `B`, with $G = 2C$, which is what $\sum C_{ij}^2$ sends back.
#
# > **Predict.** `A[0, 2]` is 0: it added nothing to the product. Is its gradient 0 too?
#
# Choose cells with the mouse or the arrow keys. A cell of the product lights up its row and its column; a cell of `A` lights up what
# it reaches, and below stands what comes back, beside your own `A.grad`. **What would have to be 0 for the gradient of `A[0, 2]` to be 0?**
# %% [markdown] lang="ko" of="5fe5e7d9"
# 이제 여러분의 `A`와 `B`에서 직접 봅니다. $G = 2C$로 두는데, $\sum C_{ij}^2$가 돌려보내는 값입니다.
#
# > **예측.** `A[0, 2]`는 0이라서 곱에 아무것도 보태지 않았습니다. 그래디언트도 0일까요?
#
# 마우스나 화살표 키로 칸을 고르세요. 곱의 칸을 고르면 그 행과 열이 표시됩니다. `A`의 칸을 고르면 그 칸이 닿는 곳이 표시되고, 아래에 돌아오는
# 값이 여러분의 `A.grad`와 나란히 나옵니다. **`A[0, 2]`의 그래디언트가 0이 되려면 무엇이 0이어야 할까요?**
# %%
(C * C).sum().backward()
MatmulFlow(A, B, grad=2 * C.data, cell=("a", 0, 2))
# %% [markdown] lang="en"
# It is 12. The usual guess takes the number for its slope, but a nudge of `A[0, 2]` is multiplied by the row `B[2]` = (0, 3): so much does
# the product move, whatever `A[0, 2]` is. Only if row 2 of `B` (or what comes back) were 0, nothing would happen.
#
# ## 3. An update that is noted
#
# Now train something: find $w$ so that $w \cdot 2 = 6$. Each step computes the loss, goes back, and moves $w$ against its gradient.
#
# > **Predict.** How many nodes lie behind the loss in the first step, and how many in the third?
# %% [markdown] lang="ko" of="6eefc36b"
# 12입니다. 흔히 수 자체를 기울기로 착각하지만, `A[0, 2]`를 조금 밀면 그만큼에 행 `B[2]` = (0, 3)이 곱해져 곱이 움직입니다. `A[0, 2]`가 얼마인지는
# 상관없습니다. `B`의 2행(또는 돌아오는 값)이 0일 때만 아무 일도 일어나지 않습니다.
#
# ## 3. 기록되는 갱신
#
# 이제 학습시켜 봅니다. $w \cdot 2 = 6$이 되는 $w$를 찾습니다. 스텝마다 손실을 계산하고, 거슬러 가고, $w$를 그래디언트 반대쪽으로 옮깁니다.
#
# > **예측.** 첫 스텝에서 손실 뒤에 있는 노드는 몇 개일까요? 세 번째 스텝에서는요?
# %%
first = w = tensor(0.0, requires_grad=True)
for step in range(4):
    loss = (w * 2.0 - 6.0) ** 2
    loss.backward()
    nodes = len(topological_order(loss.grad_fn))
    print(f"step {step}: {nodes} nodes, w is a leaf: {w.is_leaf}, w.grad is there: {w.grad is not None}")
    w = w - 0.01 * first.grad
# %% [markdown] lang="en"
# One more in each step: the usual guess, "always the same", forgets that the subtraction in the update is an operation too. It
# was noted, so the new `w` is no leaf but a *result*, the first step is now part of the second one's formula, and the gradient goes
# all the way back to the very first `w`. (That is why the cell had to take `first.grad`.) After a million steps the
# graph would hold a million updates.
#
# So there must be a way to say: **what I do now isn't part of the formula.**
# %% [markdown] lang="ko" of="fb6b47bb"
# 스텝마다 하나씩 늘어납니다. 흔히 "늘 같다"고 예상하지만, 갱신할 때의 뺄셈도 연산입니다. 그것까지 기록되었으니 새 `w`는 잎이 아니라 **결과**이고,
# 첫 스텝은 다음 스텝의 식에 들어가 버렸습니다. 그래디언트는 맨 처음의 `w`까지 거슬러 갑니다. (그래서 위의 셀에서 `first.grad`를 써야 했습니다.)
# 백만 스텝 뒤라면 그래프에 갱신 백만 번이 담깁니다.
#
# 그러니 이렇게 말할 방법이 필요합니다. **지금 하는 일은 식의 일부가 아닙니다.**
# %% [markdown] lang="en"
# ### Exercise 2 · `no_grad`  (8 minutes, important)
#
# Python calls `__enter__` when a `with` block begins, and `__exit__` when it ends, **also when an error ends it**. `no_grad.recording`
# belongs to the class, so that everybody can look it up: it says whether notes are taken.
#
# * `__enter__`: remember in `self` what it was before, then set `no_grad.recording` to `False`;
# * `__exit__`: put back what it was before. In a block inside another block, that isn't `True`. Return nothing, or the error is
#   swallowed.
# %% [markdown] lang="ko" of="2c45dc0b"
# ### 연습 2 · `no_grad`  (8분, 중요)
#
# 파이썬은 `with` 블록이 시작될 때 `__enter__`를, 끝날 때 `__exit__`를 부릅니다. **오류로 끝날 때도** 부릅니다. `no_grad.recording`은 누구나
# 찾아볼 수 있도록 클래스에 두며, 지금 기록하고 있는지를 나타냅니다.
#
# * `__enter__`: 전에 무엇이었는지 `self`에 기억해 두고 `no_grad.recording`을 `False`로 합니다.
# * `__exit__`: 전의 값으로 되돌립니다. 블록 안의 블록이라면 그 값은 `True`가 아닙니다. 아무것도 반환하지 마세요. 반환하면 오류가 삼켜질 수
#   있습니다.
# %%
#@save no_grad
class no_grad:
    """Inside `with no_grad():` no operation takes notes."""

    recording = True

    def __enter__(self):
        ### BEGIN SOLUTION
        self.before, no_grad.recording = no_grad.recording, False
        ### END SOLUTION

    def __exit__(self, *error):
        ### BEGIN SOLUTION
        no_grad.recording = self.before
        ### END SOLUTION
# %%
course.check("no_grad")
# %% [markdown] lang="en"
# Somebody must look there: `Function.apply` of lesson 03, with one condition more.
# %% [markdown] lang="ko" of="4a28ae60"
# 누군가는 그 값을 보아야 합니다. 03번 수업의 `Function.apply`에 조건 하나를 더합니다.
# %%
#@save Function.apply
@method(Function)
@classmethod
def apply(cls, *inputs):
    ctx = Node(cls, inputs)
    out = Tensor(cls.forward(ctx, *[v.data if isinstance(v, Tensor) else v for v in inputs]))
    if no_grad.recording and any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
        out.requires_grad = True
        out.grad_fn = ctx
    return out
# %% [markdown] lang="en"
# > **Predict.** With the update inside `no_grad`, does `w` go on learning?
# %% [markdown] lang="ko" of="f3c463d2"
# > **예측.** 갱신을 `no_grad` 안에 넣으면 `w`는 계속 배울까요?
# %%
w = tensor(0.0, requires_grad=True)
loss = (w * 2.0 - 6.0) ** 2
loss.backward()
with no_grad():
    w -= 0.01 * w.grad
print("w:", round(w.item(), 2), "  requires_grad:", w.requires_grad)
# %% [markdown] lang="en"
# It has moved, but learns no more! Python makes `w = w - …` of `w -= …` where a class doesn't know better. So `w` is a *new* tensor,
# and since nobody took notes, one that requires nothing. The update must change the numbers of the old tensor, **in place**.
# %% [markdown] lang="ko" of="76ef3705"
# 움직이기는 했는데 더는 배우지 않습니다! 클래스가 따로 정하지 않으면 파이썬은 `w -= …`를 `w = w - …`로 바꿉니다. 그래서 `w`는 **새** 텐서이고,
# 아무도 기록하지 않았으니 그래디언트도 필요 없다고 합니다. 갱신은 원래 텐서의 수를 **제자리에서**(in place) 바꾸어야 합니다.
# %%
#@save Tensor.in_place
@method(Tensor)
def __isub__(self, other):
    """`w -= step`, into the same numbers: only where nobody takes notes."""
    if no_grad.recording and self.requires_grad:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    self.data -= as_tensor(other).data
    return self

@method(Tensor)
def zero_(self):
    self.data[...] = 0
    return self
# %%
w = tensor(0.0, requires_grad=True)
loss = (w * 2.0 - 6.0) ** 2
loss.backward()
with no_grad():
    w -= 0.01 * w.grad
print("w:", round(w.item(), 2), "  requires_grad:", w.requires_grad, "  is_leaf:", w.is_leaf)
# %% [markdown] lang="en"
# Without the `with`, it is refused: the graph may have saved these very numbers, and would go back with the wrong ones.
# %% [markdown] lang="ko" of="0430a3dd"
# `with` 없이는 거절당합니다. 그래프가 바로 이 수를 저장해 두었을 수 있고, 그러면 틀린 수로 거슬러 가게 됩니다.
# %% tags=["raises-exception"]
w -= 0.01 * w.grad
# %% [markdown] lang="en"
# `no_grad` is for a whole block. For one tensor there is `detach`: the same numbers, without the graph behind them.
#
# > **Predict.** `w` is 3. What is the gradient of `w * w`, and of `w * w.detach()`?
# %% [markdown] lang="ko" of="9fd98f86"
# `no_grad`는 블록 전체에 씁니다. 텐서 하나에는 `detach`가 있습니다. 수는 같고, 뒤의 그래프만 없습니다.
#
# > **예측.** `w`가 3일 때 `w * w`의 그래디언트는 무엇일까요? `w * w.detach()`는요?
# %%
#@save Tensor.detach
@method(Tensor)
def detach(self):
    """The same numbers, without the graph behind them."""
    return Tensor(self.data)
# %%
for formula in (lambda w: w * w, lambda w: w * w.detach()):
    w = tensor(3.0, requires_grad=True)
    out = formula(w)
    out.backward()
    print("value", out.item(), "  gradient", w.grad.item())
# %% [markdown] lang="en"
# 6 and 3: the value is the same, but only one of the two ways leads back to `w`. A detached factor is a constant.
#
# ## 4. A curve that is not right
#
# Here is a whole loop, with manners as far as you know them. Its loss ought to fall smoothly to 0.
#
# > **Find the bug.** Look at the curve before you look at the code. It falls, and then climbs again. What must `w.grad` be in a step
# > where the loss is near 0, and what is it here?
# %% [markdown] lang="ko" of="3d4d2d15"
# 6과 3입니다. 값은 같지만 `w`로 돌아가는 길이 둘 가운데 하나뿐입니다. 떼어 낸(detach) 인수는 상수입니다.
#
# ## 4. 어딘가 이상한 곡선
#
# 반복문 전체입니다. 지금까지 배운 예절은 지켰습니다. 손실은 0까지 매끄럽게 줄어야 합니다.
#
# > **버그 찾기.** 코드를 보기 전에 곡선을 보세요. 줄어들다가 다시 올라갑니다. 손실이 0에 가까운 스텝에서 `w.grad`는 얼마여야 하고, 여기서는
# > 얼마인가요?
# %%
def train(forget, steps=9):
    w = tensor(0.0, requires_grad=True)
    for step in range(steps):
        loss = (w * 2.0 - 6.0) ** 2
        forget([w])
        loss.backward()
        with no_grad():
            w -= 0.04 * w.grad
        print(f"step {step}  loss {loss.item():5.1f}  grad {w.grad.item():6.1f}  {'#' * round(loss.item())}")

train(lambda parameters: None)
# %% [markdown] lang="en"
# The gradient of lesson 05 is **added** to what is there, which is right within one graph. But nobody took the old one away:
# each step walks along the sum of all gradients so far, runs past the goal and is carried on by the slopes of long ago. These are
# *stale gradients*. The program doesn't stop, and that makes it the most frequent bug of all training loops.
#
# ### Exercise 3 · `zero_grad`  (3 minutes)
#
# Let every tensor in `parameters` forget its gradient. Set it to `None`, as PyTorch does: "nothing has arrived yet".
# %% [markdown] lang="ko" of="31cd5b83"
# 05번 수업의 그래디언트는 이미 있는 것에 **더해집니다**. 그래프 하나 안에서는 그래야 맞습니다. 그런데 지난 것을 아무도 치우지 않았습니다. 스텝마다
# 지금까지의 그래디언트를 모두 더한 쪽으로 걷고, 목표를 지나쳐서도 오래전의 기울기에 떠밀려 계속 갑니다. **묵은 그래디언트**입니다. 프로그램은
# 멈추지 않습니다. 그래서 학습 반복문에서 가장 흔한 버그입니다.
#
# ### 연습 3 · `zero_grad`  (3분)
#
# `parameters`에 있는 모든 텐서가 그래디언트를 잊게 하세요. PyTorch처럼 `None`으로 둡니다. "아직 아무것도 오지 않았다"는 뜻입니다.
# %%
#@save zero_grad
def zero_grad(parameters):
    """Forget the gradients of the step before."""
    ### BEGIN SOLUTION
    for parameter in parameters:
        parameter.grad = None
    ### END SOLUTION
# %%
course.check("zero_grad")
# %%
train(zero_grad)
# %% [markdown] lang="en"
# ## 5. Who keeps the graph alive?
#
# A node lives as long as somebody holds it: a result holds its node, a node holds those before it. A `weakref` lets us watch
# without holding. Two people collect the losses for a plot, one as tensors and one as numbers.
#
# > **Predict.** After 100 steps, how many of the 100 graphs are still in memory, for each of them?
# %% [markdown] lang="ko" of="fd1819f6"
# ## 5. 누가 그래프를 살려 두나요
#
# 노드는 누군가 붙들고 있는 동안 살아 있습니다. 결과는 자기 노드를 붙들고, 노드는 앞의 노드를 붙듭니다. `weakref`로는 붙들지 않고 지켜볼 수
# 있습니다. 두 사람이 그림을 그리려고 손실을 모읍니다. 한 사람은 텐서로, 한 사람은 수로.
#
# > **예측.** 100스텝 뒤, 그래프 100개 가운데 몇 개가 아직 메모리에 있을까요?
# %%
def alive_after(steps, keep):
    w, losses, watched = tensor(0.0, requires_grad=True), [], []
    for step in range(steps):
        loss = (w * 2.0 - 6.0) ** 2
        losses.append(keep(loss))
        watched.append(weakref.ref(loss.grad_fn))
    return sum(node() is not None for node in watched)

print("losses.append(loss):       ", alive_after(100, lambda loss: loss))
print("losses.append(loss.item()):", alive_after(100, lambda loss: loss.item()))
# %% [markdown] lang="en"
# All 100, against the last one alone. In a real model each of them holds every layer's numbers: the memory grows from step to step
# until there is none left. `.item()` lets go.
#
# ### Exercise 4 · `Node.free`  (4 minutes)
#
# Even the last graph holds more than it needs: once the gradients have been computed, nobody wants the saved numbers any more. Let
# a node let go: `saved_tensors` becomes `None`. But a node that saved nothing (an empty tuple, like `Add`'s) keeps its empty
# tuple: it has nothing to lose and can be walked through again.
# %% [markdown] lang="ko" of="dbfbd393"
# 한쪽은 100개 모두, 다른 쪽은 마지막 하나뿐입니다. 실제 모델이라면 하나하나가 모든 층의 수를 붙들고 있어서, 메모리가 바닥날 때까지 스텝마다
# 불어납니다. `.item()`은 놓아줍니다.
#
# ### 연습 4 · `Node.free`  (4분)
#
# 마지막 그래프도 필요 이상으로 붙들고 있습니다. 그래디언트를 계산하고 나면 저장해 둔 수는 아무도 찾지 않습니다. 노드가 놓아주게 하세요.
# `saved_tensors`는 `None`이 됩니다. 다만 아무것도 저장하지 않은 노드(`Add`처럼 빈 튜플)는 빈 튜플을 그대로 둡니다. 잃을 것이 없으니 다시 지나갈
# 수 있습니다.
# %%
#@save Node.free
@method(Node)
def free(self):
    """Let go of the saved numbers."""
    ### BEGIN SOLUTION
    if self.saved_tensors:
        self.saved_tensors = None
    ### END SOLUTION
# %%
course.check("Node.free")
# %% [markdown] lang="en"
# Now `backward` frees the graph when it is done, unless you ask it to keep it with `retain_graph=True`. And where the numbers
# are gone already, it says so.
# %% [markdown] lang="ko" of="a88ab535"
# 이제 `backward`는 일을 마치면 그래프를 놓아줍니다. `retain_graph=True`라고 부탁하면 남겨 둡니다. 수가 이미 사라졌으면 그렇다고 말합니다.
# %%
#@save Tensor.backward
@method(Tensor)
def backward(self, gradient=None, retain_graph=False):
    """Adds to the .grad of every leaf how fast this tensor moves when the leaf moves; then frees the graph."""
    root = source(self)
    if root is None:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    if gradient is None and self.data.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    nodes = topological_order(root)
    if any(getattr(node, "saved_tensors", ()) is None for node in nodes):
        raise RuntimeError("Trying to backward through the graph a second time: its saved numbers have been freed")
    run_backward(root, np.ones_like(self.data) if gradient is None else gradient.data)
    for node in nodes:
        if isinstance(node, Node) and not retain_graph:
            node.free()
# %% [markdown] lang="en"
# > **Predict.** `w` is 3, `loss` is `w * w`. What is in `w.grad` after the first `backward`, after the second, and what does the third do?
# %% [markdown] lang="ko" of="9c69bb79"
# > **예측.** `w`는 3, `loss`는 `w * w`입니다. `backward`를 한 번 부르면 `w.grad`는 얼마이고, 두 번 부르면 얼마일까요? 세 번째는 무엇을 할까요?
# %% tags=["raises-exception"]
w = tensor(3.0, requires_grad=True)
loss = w * w
for retain in (True, False, False):
    loss.backward(retain_graph=retain)
    print("w.grad:", w.grad.item(), "  saved:", loss.grad_fn.saved_tensors is not None)
# %% [markdown] lang="en"
# 6, then 12 (added, not computed anew), and then the error: the second call had freed the numbers. If you meet it, you have almost
# always kept a tensor of the step before by mistake. Don't reach for `retain_graph=True` first; look for that tensor.
#
# ## 6. What PyTorch does here
#
# The same numbers, and the same refusals.
# %% [markdown] lang="ko" of="95df2fc5"
# 6, 다음은 12(새로 계산하지 않고 더합니다), 그다음은 오류입니다. 두 번째 호출이 수를 놓아주었기 때문입니다. 이 오류를 만났다면 거의 언제나 앞 스텝의
# 텐서를 실수로 붙들고 있는 것입니다. `retain_graph=True`부터 쓰지 말고 그 텐서를 찾으세요.
#
# ## 6. PyTorch에서는
#
# 수도 같고, 거절도 같습니다.
# %%
import nbtorch as torch

def refusals(tensor):
    a = tensor([[1.0, 2.0]], requires_grad=True)
    out = (a @ tensor([[3.0], [4.0]])).sum()
    out.backward()
    yield a.grad.numpy().tolist()
    for forbidden in (out.backward, lambda: a.__isub__(1.0)):
        try:
            forbidden()
        except RuntimeError as error:
            yield f"{type(error).__name__}: {str(error)[:44]}"

for mine, theirs in zip(refusals(tensor), refusals(torch.tensor)):
    print(mine == theirs, mine)
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. The gradients of $A B$ are $G B^\top$ and $A^\top G$: the shapes find them, the sum over paths explains them.
# 2. An update isn't part of the formula: `with no_grad():`, and in place.
# 3. Gradients are added up; forget the old ones before each step.
# 4. A graph lives as long as somebody holds its result: collect `loss.item()`.
# 5. `backward` frees the saved numbers; a second one through the same graph is refused.
#
# **What comes next.** Everything is there. In lesson 08 ★ the article's program runs on *your* library.
# %% [markdown] lang="ko" of="06ce557a"
# ## 기억할 것
#
# 1. $A B$의 그래디언트는 $G B^\top$와 $A^\top G$입니다. 모양으로 찾고, 경로의 합으로 설명합니다.
# 2. 갱신은 식의 일부가 아닙니다. `with no_grad():` 안에서, 제자리에서 합니다.
# 3. 그래디언트는 더해집니다. 스텝마다 지난 것을 먼저 잊으세요.
# 4. 그래프는 누군가 그 결과를 붙들고 있는 동안 살아 있습니다. `loss.item()`을 모으세요.
# 5. `backward`는 저장한 수를 놓아줍니다. 같은 그래프를 두 번째로 거슬러 가는 것은 거절됩니다.
#
# **다음에는.** 모두 갖추었습니다. 08번 수업 ★에서는 글의 프로그램이 **여러분의** 라이브러리로 돌아갑니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Derive the two gradients of a product from shapes and from the sum over paths.
# - Say for each line of a training loop why it is there: `no_grad`, in place, `zero_grad`, `item`.
#
# ## Three common errors
#
# 1. `.T` on a stack of matrices.
# 2. `__exit__` puts back True instead of what was there before.
# 3. Zeros instead of `None`, or the weights zeroed instead of the gradients.
#
# ## A question to discuss
#
# PyTorch adds gradients up and leaves forgetting to the loop. When is adding up across several calls of `backward` what one wants?
#
# ## What to skip
#
# Exercise 4 and `detach` (the reference stands in); stacks of matrices are not needed in lesson 08.
# %% [markdown] lang="ko" of="4ddfed2d" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 곱의 두 그래디언트를 모양에서, 그리고 길의 합에서 끌어낸다.
# - 학습 반복문의 줄마다 왜 있는지 말한다(`no_grad`, 제자리 연산, `zero_grad`, `item`).
#
# ## 흔한 오류 셋
#
# 1. 쌓인 행렬에 `.T`를 쓴다.
# 2. `__exit__`에서 전의 값이 아니라 True로 되돌린다.
# 3. `None` 대신 0을 넣거나, 그래디언트가 아니라 가중치를 0으로 만든다.
#
# ## 토론할 질문
#
# PyTorch는 그래디언트를 더하고, 잊는 일은 반복문에 맡긴다. `backward`를 여러 번 부르며 더하는 것이 오히려 바라는 일일 때는 언제일까?
#
# ## 건너뛸 것
#
# 연습 4와 `detach`(참고 답안이 대신한다). 쌓인 행렬은 08번 수업에 필요하지 않다.
