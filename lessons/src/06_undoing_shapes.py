# %% [markdown] lang="en"
# # 06 · Undoing shapes
#
# *About 60 minutes, the exercises included. You need lesson 05.*
#
# **One bias is added to all four rows of a batch. Four gradients come back. To whom do they belong?**
#
# So far everything had one shape. Real programs broadcast, sum up, transpose and pick out, and each time the gradient comes back in the
# shape of the *result*, not of the input. You will learn one sentence that settles all of these cases, and write it down four
# times.
# %% [markdown] lang="ko" of="a23b2bfc"
# # 06 · 모양 되돌리기
#
# 연습 문제를 포함해 약 60분. 05번 수업이 필요합니다.
#
# **편향 하나를 배치의 네 행에 모두 더합니다. 돌아오는 그래디언트는 네 개입니다. 누구의 것일까요?**
#
# 지금까지는 모든 것의 모양이 같았습니다. 실제 프로그램은 브로드캐스트하고, 더해서 줄이고, 전치하고, 골라냅니다. 그때마다 그래디언트는 입력이 아니라
# **결과**의 모양으로 돌아옵니다. 이 모든 경우를 해결하는 문장 하나를 배우고, 그것을 네 번 코드로 옮깁니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np

from nbtorch import course
from nbtorch.course import method
from nbtorch_widgets import BroadcastBoard

course.start("06")

from mytorch import Add, Exp, Function, Mul, Tensor, gradcheck, numerical_grad, tensor
# %% [markdown] lang="en"
# ## 1. It comes back in the wrong shape
#
# > **Predict.** `b` has a single number. Which shape will `b.grad` have, and which should it have?
# %% [markdown] lang="ko" of="9bd62352"
# ## 1. 엉뚱한 모양으로 돌아옵니다
#
# > **예측.** `b`에 든 수는 하나입니다. `b.grad`의 모양은 무엇이 될까요? 무엇이어야 할까요?
# %%
x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
b = tensor([10.0], requires_grad=True)
y = x + b
y.backward(Tensor(np.ones((2, 3), dtype=np.float32)))
print("b:", b.shape, "  b.grad:", b.grad.shape, "  by nudging:", numerical_grad(lambda b: x + b, b).round(3))
# %% [markdown] lang="en"
# `b.grad` has six numbers, for a `b` that has one. A step `b - lr * b.grad` would turn the bias into a matrix, and the next batch of
# another size would not fit any more. Nudging knows better: **6**. If `b` moves by a little, six numbers of `y` move by as much.
#
# > **Use the picture.** Choose the number of `b` (arrow keys or mouse). Into how many cells of the result does it go?
# %% [markdown] lang="ko" of="565e8f8e"
# 수가 하나뿐인 `b`인데 `b.grad`에는 수가 여섯 개입니다. `b - lr * b.grad`로 한 걸음 가면 편향이 행렬이 되어 버리고, 크기가 다른 다음 배치와는
# 맞지도 않게 됩니다. 밀어 보면 **6**입니다. `b`가 조금 움직이면 `y`의 수 여섯 개가 그만큼 움직입니다.
#
# > **그림을 써 보세요.** `b`의 수를 골라 보세요(화살표 키나 마우스). 그 수는 결과의 몇 칸으로 들어가나요?
# %%
BroadcastBoard(x, b)
# %% [markdown] lang="en"
# Broadcasting is **copying**. One number went six ways, and lesson 05 said what happens where ways meet: what comes back is added. So here
# is the sentence of today:
#
# > **What is copied forwards is added up backwards. What is added up forwards is copied backwards.**
#
# ### Exercise 1 · `unbroadcast`  (12 minutes, important)
#
# `gradient` has the shape of the result; give it back in the input's `shape`. Lesson 01 told in which two ways an input is
# stretched, so undo them:
#
# 1. axes that were put **in front**: sum them away, until there are as many axes as in `shape`;
# 2. axes of length 1 that were **stretched**: sum along them, and keep the axis (`keepdims=True`).
# %% [markdown] lang="ko" of="754118e3"
# 브로드캐스팅은 **복사**입니다. 수 하나가 여섯 길로 갔고, 길이 만나는 곳에서 할 일은 05번 수업에서 배웠습니다. 돌아온 것을 더합니다. 오늘의 문장은
# 이것입니다.
#
# > **앞으로 갈 때 복사한 것은 거슬러 올 때 더하고, 앞으로 갈 때 더한 것은 거슬러 올 때 복사한다.**
#
# ### 연습 1 · `unbroadcast`  (12분, 중요)
#
# `gradient`는 결과의 모양입니다. 입력의 모양 `shape`로 돌려주세요. 입력이 늘어나는 방법은 01번 수업에서 본 두 가지이니, 그것을 되돌립니다.
#
# 1. **앞에** 붙은 축: 축의 수가 `shape`와 같아질 때까지 더해서 없앱니다.
# 2. **늘어난** 길이 1짜리 축: 그 축을 따라 더하되 축은 남깁니다(`keepdims=True`).
# %%
#@save unbroadcast
def unbroadcast(gradient, shape):
    """The gradient of an array of `shape` that was broadcast to gradient.shape: what was copied is added up."""
    ### BEGIN SOLUTION
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and gradient.shape[axis] != 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient
    ### END SOLUTION
# %%
course.check("unbroadcast")
# %% [markdown] lang="en"
# `Add` and `Mul` learn to use it. `Add` needs no numbers for its slope, but from now on the two shapes.
# %% [markdown] lang="ko" of="905e5f5b"
# `Add`와 `Mul`이 이것을 쓰게 합니다. `Add`의 기울기에는 여전히 수가 필요 없지만 이제 두 모양은 알아야 합니다.
# %%
#@save Add.shapes
@method(Add)
@staticmethod
def forward(ctx, a, b):
    ctx.shapes = a.shape, b.shape
    return a + b

@method(Add)
@staticmethod
def backward(ctx, gradient):
    return tuple(unbroadcast(gradient, shape) for shape in ctx.shapes)

@method(Mul)
@staticmethod
def backward(ctx, gradient):
    a, b = ctx.saved_tensors
    return unbroadcast(gradient * b, a.shape), unbroadcast(gradient * a, b.shape)
# %%
b = tensor([10.0], requires_grad=True)
(x + b).backward(Tensor(np.ones((2, 3), dtype=np.float32)))
row, column = tensor([1.0, 2.0, 3.0]), tensor([[0.5], [1.5]])
print("b.grad:", b.grad, "  judged:", gradcheck(lambda x, row, column: x * row + row / column, [x, row, column]))
# %% [markdown] lang="en"
# > **Predict.** `x` is (2, 3), `row` is (3,), `column` is (2, 1). Which shape has the gradient of each, and how many numbers are added
# > up for each number of `row`, and of `column`?
#
# Two for `row`, which was copied down two rows; three for `column`, copied along three columns; one for `x`. Each gradient has its
# tensor's shape. The same board, walked **backwards**, on your own tensors:
#
# > **Use the picture.** Choose a number of the gradient of `column`: which cells were added up into it?
# %% [markdown] lang="ko" of="668362f7"
# > **예측.** `x`는 (2, 3), `row`는 (3,), `column`은 (2, 1)입니다. 그래디언트의 모양은 각각 무엇일까요? `row`의 수 하나, `column`의 수 하나에는
# > 몇 개의 수가 더해질까요?
#
# `row`는 두 행으로 복사되었으니 두 개, `column`은 세 열로 복사되었으니 세 개, `x`는 하나입니다. 그래디언트의 모양은 저마다 자기 텐서의 모양과
# 같습니다. 같은 그림을 여러분의 텐서로 **거슬러** 걸어 봅시다.
#
# > **그림을 써 보세요.** `column`의 그래디언트에서 수 하나를 골라 보세요. 어떤 칸들이 더해져서 그 수가 되었나요?
# %%
BroadcastBoard(row, column, backward=True)
# %% [markdown] lang="en"
# ## 2. The mirror: sum
#
# The second half of the sentence. A sum adds many numbers to one.
#
# > **Predict.** `total = x.sum()`. If `total` counts 5, how much does each number of `x` count?
# %% [markdown] lang="ko" of="e9665ecc"
# ## 2. 거울에 비친 모습: 합
#
# 문장의 뒷부분입니다. 합은 많은 수를 하나로 더합니다.
#
# > **예측.** `total = x.sum()`입니다. `total`을 5만큼 친다면, `x`의 수 하나하나는 얼마씩 쳐야 할까요?
# %%
#@save Sum
class Sum(Function):
    @staticmethod
    def forward(ctx, a, dim, keepdim):
        ctx.shape, ctx.dim, ctx.keepdim = a.shape, dim, keepdim
        return a.sum(axis=dim, keepdims=keepdim)

@method(Tensor)
def sum(self, dim=None, keepdim=False):
    return Sum.apply(self, dim, keepdim)

@method(Tensor)
def mean(self, dim=None, keepdim=False):
    total = self.sum(dim, keepdim)
    return total * (total.data.size / self.data.size)
# %% [markdown] lang="en"
# Each counts 5 as well: nudge any of them and the total moves by as much. The gradient is **copied** to every place. The mean
# is a sum times a number; it needs no rule of its own.
#
# ### Exercise 2 · `Sum.backward`  (10 minutes, important)
#
# Copy `gradient` to `ctx.shape`: `np.broadcast_to(gradient, ctx.shape)`. One thing is in the way. After `x.sum(dim=1)` a shape of
# (2, 3) has become (2,), which doesn't fit (2, 3): the axis is gone. Put it back first with `np.expand_dims(gradient, ctx.dim)`,
# unless it was kept (`ctx.keepdim`) or everything was summed (`ctx.dim is None`). The operation had three inputs; `dim` and
# `keepdim` get `None`.
# %% [markdown] lang="ko" of="7672366b"
# 저마다 5입니다. 어느 것을 밀어도 합은 그만큼 움직입니다. 그래디언트를 모든 자리에 **복사**합니다. 평균은 합에 수를 곱한 것이라 규칙이 따로 필요
# 없습니다.
#
# ### 연습 2 · `Sum.backward`  (10분, 중요)
#
# `gradient`를 `ctx.shape`로 복사하세요. `np.broadcast_to(gradient, ctx.shape)`입니다. 걸림돌이 하나 있습니다. `x.sum(dim=1)`을 하면 (2, 3)이
# (2,)이 되는데, 축이 사라져서 (2, 3)과 맞지 않습니다. 먼저 `np.expand_dims(gradient, ctx.dim)`으로 축을 되돌리세요. 축을 남겨 두었거나
# (`ctx.keepdim`) 전부 더했다면(`ctx.dim is None`) 필요 없습니다. 연산의 입력은 셋이었으니 `dim`과 `keepdim`에는 `None`을 주세요.
# %%
#@save Sum.backward
@method(Sum)
@staticmethod
def backward(ctx, gradient):
    ### BEGIN SOLUTION
    if ctx.dim is not None and not ctx.keepdim:
        gradient = np.expand_dims(gradient, ctx.dim)
    return np.broadcast_to(gradient, ctx.shape), None, None
    ### END SOLUTION
# %%
course.check("Sum.backward")
# %%
print(gradcheck(lambda x: x.sum() * x.sum(1) + x.mean(0).sum(), x), gradcheck(lambda x: x / x.sum(1, keepdim=True), x))
# %% [markdown] lang="en"
# ## 3. Moving without computing
#
# `reshape` and `transpose` compute nothing; they lay the same numbers out differently (lesson 01: only shape and strides change).
# Copied once, added up never: the gradient has merely to be moved **back**.
# %% [markdown] lang="ko" of="4d70a8b8"
# ## 3. 계산 없이 옮기기
#
# `reshape`와 `transpose`는 아무것도 계산하지 않습니다. 같은 수를 다르게 늘어놓을 뿐입니다(01번 수업: 모양과 스트라이드만 바뀝니다). 복사하지도 더하지도
# 않으니 그래디언트도 **제자리로** 옮기기만 하면 됩니다.
# %%
#@save Reshape
class Reshape(Function):
    @staticmethod
    def forward(ctx, a, shape):
        ctx.shape = a.shape
        return a.reshape(shape)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.reshape(ctx.shape), None

@method(Tensor)
def reshape(self, *shape):
    return Reshape.apply(self, shape[0] if isinstance(shape[0], tuple) else shape)
# %%
#@save Transpose
class Transpose(Function):
    @staticmethod
    def forward(ctx, a, dim0, dim1):
        ctx.dims = dim0, dim1
        return a.swapaxes(dim0, dim1)

@method(Tensor)
def transpose(self, dim0, dim1):
    return Transpose.apply(self, dim0, dim1)

Tensor.T = property(lambda self: self.transpose(0, 1))
# %% [markdown] lang="en"
# ### Exercise 3 · `Transpose.backward`  (5 minutes)
#
# > **Predict.** Which two axes must be swapped on the way back?
# %% [markdown] lang="ko" of="34da396c"
# ### 연습 3 · `Transpose.backward`  (5분)
#
# > **예측.** 돌아오는 길에는 어느 두 축을 바꾸어야 할까요?
# %%
#@save Transpose.backward
@method(Transpose)
@staticmethod
def backward(ctx, gradient):
    ### BEGIN SOLUTION
    return gradient.swapaxes(*ctx.dims), None, None
    ### END SOLUTION
# %%
course.check("Transpose.backward")
# %%
print(gradcheck(lambda x: x.T * x.T, x), gradcheck(lambda x: x.reshape(3, 2) * x.reshape(6).reshape((3, 2)), x))
# %% [markdown] lang="en"
# ## 4. Picking out, and a trap
#
# `x[...]` takes some of the numbers. Those that weren't taken have no influence on the result: their gradient is **0**. And those
# that were taken twice?
#
# > **Predict.** `x = [1, 2, 3]`, `y = x[[0, 0, 2]]`. What is the gradient of `x` if each number of `y` counts 1?
# %% [markdown] lang="ko" of="0be9d7c7"
# ## 4. 골라내기, 그리고 함정
#
# `x[...]`는 수 가운데 일부를 가져옵니다. 가져오지 않은 수는 결과에 아무 영향이 없으니 그래디언트가 **0**입니다. 그러면 두 번 가져온 수는요?
#
# > **예측.** `x = [1, 2, 3]`, `y = x[[0, 0, 2]]`입니다. `y`의 수를 1씩 친다면 `x`의 그래디언트는 무엇일까요?
# %%
index = [0, 0, 2]
whole = np.zeros(3)
whole[index] += 1
print("whole[index] += 1:       ", whole)

whole = np.zeros(3)
np.add.at(whole, index, 1)
print("np.add.at(whole, index, 1):", whole)
# %% [markdown] lang="en"
# The number at place 0 was copied twice, so two gradients come back and are added: 2. The first line loses one of them, and says
# nothing: NumPy reads `whole[index]`, adds 1 to each, and writes **both** results to place 0, the second over the first. This bug has
# been in many a homemade embedding layer, where the same word occurs twice in a sentence. `np.add.at` adds one by one.
#
# ### Exercise 4 · `GetItem.backward`  (8 minutes, important)
#
# Begin with zeros of `ctx.shape` (of the gradient's dtype), and add the gradient at `ctx.index`.
# %% [markdown] lang="ko" of="8697c3ed"
# 0번 자리의 수는 두 번 복사되었으니 두 그래디언트가 돌아와 더해집니다. 2입니다. 첫 줄은 그중 하나를 잃고도 말이 없습니다. NumPy는 `whole[index]`를 읽어
# 저마다 1을 더한 다음, 0번 자리에 결과를 **두 번** 씁니다. 뒤의 것이 앞의 것을 덮어씁니다. 한 문장에 같은 단어가 두 번 나오는 임베딩 층을 직접
# 만들 때 자주 생기는 버그입니다. `np.add.at`은 하나씩 더합니다.
#
# ### 연습 4 · `GetItem.backward`  (8분, 중요)
#
# `ctx.shape` 모양의 0(dtype은 그래디언트와 같게)에서 시작해 `ctx.index` 자리에 그래디언트를 더하세요.
# %%
#@save GetItem
class GetItem(Function):
    @staticmethod
    def forward(ctx, a, index):
        ctx.shape, ctx.index = a.shape, index
        return a[index]

@method(Tensor)
def __getitem__(self, index):
    return GetItem.apply(self, index)
# %%
#@save GetItem.backward
@method(GetItem)
@staticmethod
def backward(ctx, gradient):
    ### BEGIN SOLUTION
    whole = np.zeros(ctx.shape, gradient.dtype)
    np.add.at(whole, ctx.index, gradient)
    return whole, None
    ### END SOLUTION
# %%
course.check("GetItem.backward")
# %%
print(gradcheck(lambda x: x[0] * x[1, 2] + x[[0, 0, 1]].sum() * x[:, 1:].mean(), x))
# %% [markdown] lang="en"
# ## 5. Find the bug
#
# A colleague normalizes each row and gets a gradient that `gradcheck` refuses. The numbers of the result are right.
#
# > **Predict.** Which line breaks the thread, and how would you mend it?
# %% [markdown] lang="ko" of="e77ea863"
# ## 5. 버그 찾기
#
# 동료가 행마다 정규화를 했는데 `gradcheck`가 그래디언트를 거절합니다. 결과의 수는 맞습니다.
#
# > **예측.** 실이 끊어진 줄은 어디이고, 어떻게 고치면 될까요?
# %%
def normalized(x):
    size = Tensor(x.data.sum(axis=1, keepdims=True))
    return x / size

try:
    gradcheck(normalized, x)
except RuntimeError as wrong:
    print(wrong)
# %% [markdown] lang="en"
# <details><summary><b>Answer</b></summary>
#
# `x.data.sum(...)` computes behind the graph's back, as in lesson 03: `size` is plain data to it, and its share of the gradient, which is
# negative, is missing. `x.sum(1, keepdim=True)` takes notes. Such a gradient isn't even zero or `None`, only wrong; without a judge
# one would never notice.
# </details>
#
# ## 6. What PyTorch does here
#
# The same sentence, the same numbers. And a view is a view: the reshaped tensor holds the *same* numbers in memory, in yours as in PyTorch.
# %% [markdown] lang="ko" of="c98f2362"
# <details><summary><b>답</b></summary>
#
# `x.data.sum(...)`은 03번 수업에서처럼 그래프 몰래 계산합니다. 그래프에게 `size`는 그냥 데이터이고, `size`를 거쳐 와야 할 음수 몫의 그래디언트가
# 빠집니다. `x.sum(1, keepdim=True)`는 기록을 남깁니다. 이런 그래디언트는 0도 `None`도 아니고 그저 틀린 수라서, 심판이 없으면 알아챌 길이 없습니다.
# </details>
#
# ## 6. PyTorch에서는
#
# 문장도 같고 수도 같습니다. 뷰는 여기서도 뷰입니다. 모양을 바꾼 텐서는 메모리에 있는 **같은** 수를 가집니다. 여러분의 것도 PyTorch의 것도
# 그렇습니다.
# %%
import nbtorch as torch

for name, make in {"mine": tensor, "PyTorch's": torch.tensor}.items():
    x, b = make([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True), make([[2.0], [3.0]], requires_grad=True)
    ((x * b)[[0, 0, 1]].sum(0) * x.T[:, 0]).sum().backward()
    print(f"{name:10} x.grad {x.grad.numpy().round(1).tolist()}   b.grad {b.grad.numpy().round(1).tolist()}")
# %%
for name, make in {"mine": tensor, "PyTorch's": torch.tensor}.items():
    x = make([1.0, 2.0, 3.0, 4.0])
    x.reshape(2, 2).numpy()[0, 0] = 100
    print(f"{name:10} {x.numpy().tolist()}")
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. A gradient has the shape of the tensor it belongs to. Always.
# 2. What is copied forwards is added up backwards: broadcasting, picking the same place twice.
# 3. What is added up forwards is copied backwards: sum and mean.
# 4. What is only moved is moved back: reshape, transpose.
# 5. What isn't used gets 0; and `a[index] += g` loses repeated places.
#
# **What comes next.** One operation is missing of which all networks are made, the product of matrices. And a few manners of a training
# loop. Lesson 07.
# %% [markdown] lang="ko" of="14492c24"
# ## 기억할 것
#
# 1. 그래디언트의 모양은 언제나 그 텐서의 모양과 같습니다.
# 2. 앞으로 갈 때 복사한 것은 거슬러 올 때 더합니다. 브로드캐스팅, 같은 자리를 두 번 골라내기.
# 3. 앞으로 갈 때 더한 것은 거슬러 올 때 복사합니다. 합과 평균.
# 4. 옮기기만 한 것은 제자리로 옮깁니다. reshape, transpose.
# 5. 쓰이지 않은 것은 0을 받습니다. 그리고 `a[index] += g`는 겹친 자리를 잃습니다.
#
# **다음에는.** 모든 신경망을 이루는 연산 하나가 아직 없습니다. 행렬의 곱입니다. 그리고 학습 반복문의 예절 몇 가지가 남았습니다. 07번 수업입니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - State that a gradient has the shape of its tensor, and use it to find faults.
# - Undo broadcasting by summing and summing by copying.
# - Treat repeated indices rightly.
#
# ## Three common errors
#
# 1. The mean, or one of the copies, instead of the sum.
# 2. The lost axis not put back: a square matrix hides it.
# 3. `whole[index] += g`.
#
# ## A question to discuss
#
# Copying and summing mirror each other. Which other pairs of operations do? (Padding and cutting; splitting and joining.)
#
# ## What to skip
#
# Exercise 3 is quick; with little time leave out part 4, which comes back with embeddings.
# %% [markdown] lang="ko" of="a2883b16" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 그래디언트의 모양은 그 텐서의 모양과 같다는 것을 말하고, 잘못을 찾는 데 쓴다.
# - 브로드캐스팅은 더해서, 합은 복사해서 되돌린다.
# - 겹친 인덱스를 바르게 다룬다.
#
# ## 흔한 오류 셋
#
# 1. 합이 아니라 평균이나 복사본 하나를 쓴다.
# 2. 사라진 축을 되돌리지 않는다. 정사각 행렬에서는 드러나지 않는다.
# 3. `whole[index] += g`.
#
# ## 토론할 질문
#
# 복사와 합은 서로의 거울이다. 그런 짝이 또 있을까? (채우기와 자르기, 나누기와 잇기)
#
# ## 건너뛸 것
#
# 연습 3은 금방 끝난다. 시간이 없으면 4장을 빼도 된다. 임베딩에서 다시 나온다.
