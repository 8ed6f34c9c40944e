# %% [markdown] lang="en"
# # 02 · A Tensor
#
# *About 40 minutes, the exercises included. You need lesson 01.*
#
# **An array is very good at numbers and has no memory at all. Could it learn to remember where its numbers came from?**
#
# Ask the result of `a * b` who made it: a NumPy array can't say. For learning, that is exactly what must be known. So we need
# an object of our own around the array, and before it can remember anything, it has to be as handy as a number: `2 - x / 3`
# should simply work. You will build it today, under PyTorch's name: `Tensor`. It stays with you to the last lesson.
# %% [markdown] lang="ko" of="148d17d4"
# # 02 · 텐서
#
# 연습 문제를 포함해 약 40분. 01번 수업이 필요합니다.
#
# **배열은 계산에는 능하지만 기억은 전혀 없습니다. 자기 수가 어디에서 왔는지 기억하게 만들 수 있을까요?**
#
# `a * b`의 결과에게 누가 만들었느냐고 물어보세요. NumPy 배열은 대답하지 못합니다. 그런데 학습에 필요한 것이 바로 그 대답입니다. 그래서
# 배열을 감싸는 우리만의 객체가 필요합니다. 무엇을 기억하기에 앞서 우선 수처럼 다루기 쉬워야 합니다. `2 - x / 3`이 그냥 되어야 합니다.
# 오늘 그것을 PyTorch와 같은 이름으로 만듭니다. 바로 `Tensor`입니다. 마지막 수업까지 함께 갈 클래스입니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np

from nbtorch import course
from nbtorch.course import method

course.start("02")
# %% [markdown] lang="en"
# ## 1. A box around an array
#
# The class begins small: it takes numbers and keeps them as an array in `data`. One decision has to be made at once: with how
# many bits? Python's own floats have 64. For learning, 32 are enough, take half the memory and are twice as fast, so PyTorch
# makes 32-bit numbers of them, and we do too. Whoever brings a NumPy array has chosen already.
# %% [markdown] lang="ko" of="cc113a8d"
# ## 1. 배열을 담은 상자
#
# 클래스는 작게 시작합니다. 수를 받아 배열로 만들어 `data`에 담습니다. 그런데 당장 정해야 할 것이 하나 있습니다. 비트를 몇 개 쓸까요?
# 파이썬의 실수는 64비트입니다. 학습에는 32비트면 충분하고, 메모리는 절반, 속도는 두 배입니다. 그래서 PyTorch는 32비트로 바꾸고 우리도 그렇게
# 합니다. NumPy 배열을 가져온 사람은 이미 골랐으니 그대로 둡니다.
# %%
#@save Tensor
class Tensor:
    """Numbers in an array, under PyTorch's names."""

    def __init__(self, data, dtype=None):
        chosen = isinstance(data, (np.ndarray, np.generic)) or dtype is not None
        array = np.asarray(data, dtype=dtype)
        if array.dtype == np.float64 and not chosen:
            array = array.astype(np.float32)
        self.data = array

    def __repr__(self):
        numbers = np.array2string(self.data, separator=", ", prefix="tensor(")
        return f"tensor({numbers})"
# %%
x = Tensor([[1.0, 2.0], [3.0, 4.0]])
x
# %% [markdown] lang="en"
# > **Predict.** Of which dtype are the numbers of `Tensor([1.0, 2.0])`, of `Tensor([1, 2])`, and of `Tensor(np.ones(2))`?
# %% [markdown] lang="ko" of="5290500a"
# > **예측.** `Tensor([1.0, 2.0])`, `Tensor([1, 2])`, `Tensor(np.ones(2))`에 든 수의 dtype은 각각 무엇일까요?
# %%
for value in ([1.0, 2.0], [1, 2], np.ones(2)):
    print(f"{value!r:16}", Tensor(value).data.dtype)
# %% [markdown] lang="en"
# Whole numbers stay whole numbers. Remember that; it will bite in part 5.
#
# A few things are only read off the array. A *property* is a method that is read like an attribute, without parentheses.
# %% [markdown] lang="ko" of="720c3dc3"
# 정수는 정수로 남습니다. 기억해 두세요. 5장에서 발목을 잡을 것입니다.
#
# 배열에서 읽어 오기만 하면 되는 것도 몇 가지 있습니다. **프로퍼티**(property)는 괄호 없이 속성처럼 읽는 메서드입니다.
# %%
#@save Tensor.shape
@method(Tensor)
@property
def shape(self):
    return self.data.shape

@method(Tensor)
@property
def dtype(self):
    return self.data.dtype

@method(Tensor)
def numpy(self):
    return self.data

@method(Tensor)
def item(self):
    return self.data.item()
# %%
print(x.shape, x.dtype, Tensor(3.5).item())
# %% [markdown] lang="en"
# ## 2. What does `+` do?
#
# It calls a method. Python reads `a + b` as `a.__add__(b)`; so a class that has `__add__` knows `+`. The other side may be a
# plain number, as in `x + 1`. It helps to have one place that makes a tensor of whatever comes.
#
# ### Exercise 1 · `as_tensor`  (5 minutes, important)
#
# A tensor is returned as it is, the very same object; anything else is put into a new one.
# %% [markdown] lang="ko" of="a8796a9f"
# ## 2. `+`는 무엇을 할까요?
#
# 메서드를 부릅니다. 파이썬은 `a + b`를 `a.__add__(b)`로 읽습니다. 그래서 `__add__`가 있는 클래스는 `+`를 압니다. 상대는 `x + 1`에서처럼 그냥
# 수일 수도 있습니다. 무엇이 오든 텐서로 만들어 주는 곳이 한 군데 있으면 편합니다.
#
# ### 연습 1 · `as_tensor`  (5분, 중요)
#
# 텐서는 바로 그 객체를 그대로 돌려주고, 그 밖의 것은 새 텐서에 담아 돌려줍니다.
# %%
#@save as_tensor
def as_tensor(value):
    """The tensor itself, or a new one around other numbers."""
    ### BEGIN SOLUTION
    return value if isinstance(value, Tensor) else Tensor(value)
    ### END SOLUTION
# %%
course.check("as_tensor")
# %% [markdown] lang="en"
# One more thing must be settled before the first sum.
#
# > **Predict.** An array of 32-bit numbers plus an array that holds the whole number 10: with how many bits does it come out?
# %% [markdown] lang="ko" of="937f6435"
# 첫 덧셈을 하기 전에 정해야 할 것이 하나 더 있습니다.
#
# > **예측.** 32비트 실수의 배열에 정수 10이 든 배열을 더하면 결과는 몇 비트가 될까요?
# %%
print((np.ones(2, dtype=np.float32) + np.array(10)).dtype)
# %% [markdown] lang="en"
# NumPy plays safe and doubles the bits. In a network that would happen at the first `+ 1`, and everything after it would be twice
# as large and slower. PyTorch's rule is: beside floating-point numbers, whole numbers and plain Python numbers take *their*
# dtype. The function below does that for both sides of an operation.
# %% [markdown] lang="ko" of="e73a4728"
# NumPy는 안전하게 비트를 두 배로 늘립니다. 신경망이라면 첫 `+ 1`에서 이런 일이 생기고, 그 뒤로는 모든 것이 두 배로 커지고 느려집니다.
# PyTorch의 규칙은 이렇습니다. 실수 옆에 있는 정수와 파이썬의 수는 **그 실수의** dtype을 따른다. 아래 함수가 연산의 양쪽에 그 규칙을
# 적용합니다.
# %%
#@save pair
def pair(a, b):
    """Both sides of an operation as tensors; whole numbers take the dtype of floating-point ones beside them."""
    if not isinstance(b, Tensor) and a.dtype.kind == "f":
        b = Tensor(b, a.dtype)
    b = as_tensor(b)
    if a.dtype.kind == "f" and b.dtype.kind != "f":
        b = Tensor(b.data, a.dtype)
    elif b.dtype.kind == "f" and a.dtype.kind != "f":
        a = Tensor(a.data, b.dtype)
    return a, b
# %% [markdown] lang="en"
# ### Exercise 2 · `+` and `*`  (8 minutes, important)
#
# Write both methods. Let `pair` see to the two sides and NumPy do the arithmetic on their `data`, and return a **new** tensor;
# neither operand may change.
# %% [markdown] lang="ko" of="160bf799"
# ### 연습 2 · `+`와 `*`  (8분, 중요)
#
# 두 메서드를 쓰세요. 양쪽을 맞추는 일은 `pair`에, `data`의 계산은 NumPy에 맡기고, **새** 텐서를 돌려줍니다. 두 피연산자는 바뀌면 안
# 됩니다.
# %%
#@save Tensor.__add__
@method(Tensor)
def __add__(self, other):
    ### BEGIN SOLUTION
    a, b = pair(self, other)
    return Tensor(a.data + b.data)
    ### END SOLUTION
# %%
course.check("Tensor.__add__")
# %%
#@save Tensor.__mul__
@method(Tensor)
def __mul__(self, other):
    ### BEGIN SOLUTION
    a, b = pair(self, other)
    return Tensor(a.data * b.data)
    ### END SOLUTION
# %%
course.check("Tensor.__mul__")
# %%
print(x + 10)
print(x * Tensor([100.0, 1000.0]))
# %% [markdown] lang="en"
# The second line is broadcasting again, from lesson 01: NumPy does it, and the tensor has it for free.
#
# ## 3. The number stands on the left
#
# > **Predict.** `x * 2` works. Does `2 * x`?
# %% [markdown] lang="ko" of="dfda4b7c"
# 둘째 줄은 01번 수업에서 본 브로드캐스팅입니다. NumPy가 해 주므로 텐서는 거저 얻습니다.
#
# ## 3. 수가 왼쪽에 있으면
#
# > **예측.** `x * 2`는 됩니다. `2 * x`도 될까요?
# %% tags=["raises-exception"]
2 * x
# %% [markdown] lang="en"
# No: Python asks the **left** side first, and the number 2 has never heard of tensors. But before it gives up, Python asks the
# right side for `__rmul__`, the *reflected* method. For `+` and `*` the order doesn't matter, so the methods are the same. For
# `-` it does.
#
# ### Exercise 3 · `2 - x`  (7 minutes)
#
# Write `__rsub__`. It is called as `x.__rsub__(2)` and must give `2 - x`. Negation and subtraction are below already, made of
# what you wrote: `a - b` is `a + (-b)`.
# %% [markdown] lang="ko" of="4156c554"
# 안 됩니다. 파이썬은 **왼쪽**에 먼저 묻는데, 수 2는 텐서라는 것을 모릅니다. 그런데 파이썬은 포기하기 전에 오른쪽에 `__rmul__`이 있는지
# 묻습니다. **뒤집힌** 메서드입니다. `+`와 `*`는 순서가 상관없으니 같은 메서드를 쓰면 됩니다. `-`는 다릅니다.
#
# ### 연습 3 · `2 - x`  (7분)
#
# `__rsub__`를 쓰세요. `x.__rsub__(2)`처럼 불리고 `2 - x`를 돌려주어야 합니다. 부호 바꾸기와 빼기는 여러분이 쓴 것으로 이미 만들어
# 두었습니다. `a - b`는 `a + (-b)`입니다.
# %%
#@save Tensor.arithmetic
Tensor.__radd__ = Tensor.__add__
Tensor.__rmul__ = Tensor.__mul__

@method(Tensor)
def __neg__(self):
    return self * -1

@method(Tensor)
def __sub__(self, other):
    return self + -as_tensor(other)
# %%
#@save Tensor.__rsub__
@method(Tensor)
def __rsub__(self, other):
    ### BEGIN SOLUTION
    return as_tensor(other) - self
    ### END SOLUTION
# %%
course.check("Tensor.__rsub__")
# %%
print(2 * x)
print(10 - x)
# %% [markdown] lang="en"
# ## 4. Powers, and division made of them
#
# > **Predict.** Division needs no arithmetic of its own. Which two operations is $a / b$ made of?
# %% [markdown] lang="ko" of="b5d763a7"
# ## 4. 거듭제곱, 그리고 그것으로 만든 나눗셈
#
# > **예측.** 나눗셈에는 따로 계산이 필요 없습니다. $a / b$는 어떤 두 연산으로 만들 수 있을까요?
# %% [markdown] lang="en"
# $$\frac{a}{b} = a \cdot b^{-1}$$
#
# A power and a product. That is not only economical: in lesson 05 every operation will need a rule for its slope, and whatever
# is made of others needs none.
#
# ### Exercise 4 · `/`  (8 minutes)
#
# Write `__truediv__` with `*` and `**`. Careful: NumPy refuses a negative power of whole numbers, and `Tensor([4]) / 2` is a
# sensible wish. PyTorch answers it with a floating-point number.
# %% [markdown] lang="ko" of="6852ba47"
# $$\frac{a}{b} = a \cdot b^{-1}$$
#
# 거듭제곱 하나와 곱 하나입니다. 경제적이기만 한 것이 아닙니다. 05번 수업에서는 연산마다 기울기의 규칙이 필요한데, 다른 연산으로 만든
# 것에는 규칙이 따로 필요 없습니다.
#
# ### 연습 4 · `/`  (8분)
#
# `*`와 `**`로 `__truediv__`를 쓰세요. 조심할 것이 있습니다. NumPy는 정수의 음수 거듭제곱을 거절하는데, `Tensor([4]) / 2`는 있을 법한
# 계산입니다. PyTorch는 실수로 답합니다.
# %%
#@save Tensor.power
@method(Tensor)
def __pow__(self, exponent):
    return Tensor(self.data**exponent)

@method(Tensor)
def float(self):
    return Tensor(self.data.astype(np.float32))
# %%
#@save Tensor.__truediv__
@method(Tensor)
def __truediv__(self, other):
    ### BEGIN SOLUTION
    a, b = pair(self, other)
    if b.dtype.kind != "f":
        b = b.float()
    return a * b**-1
    ### END SOLUTION
# %%
course.check("Tensor.__truediv__")
# %%
#@save Tensor.__rtruediv__
@method(Tensor)
def __rtruediv__(self, other):
    return as_tensor(other) / self
# %%
celsius = Tensor([0.0, 37.0, 100.0])
print("fahrenheit:", celsius * 9 / 5 + 32)
print("one over it:", 1 / Tensor([1.0, 2.0, 4.0]))
# %% [markdown] lang="en"
# ## 5. Break it: a weight of whole numbers
#
# A weight should move a little at each step. Here are two that begin at the same place, one written `1.0` and one written `1`;
# both are to go down by 0.3, three times.
#
# > **Predict.** Where does each of them end?
# %% [markdown] lang="ko" of="1cf79542"
# ## 5. 망가뜨리기: 정수로 된 가중치
#
# 가중치는 한 걸음마다 조금씩 움직여야 합니다. 여기 같은 곳에서 출발하는 가중치가 둘 있습니다. 하나는 `1.0`, 하나는 `1`이라고 적었습니다.
# 둘 다 0.3씩 세 번 내려가야 합니다.
#
# > **예측.** 둘은 각각 어디에 도착할까요?
# %%
real, whole = Tensor([1.0]), Tensor([1])
for step in range(3):
    real.data[:] = real.data - 0.3
    whole.data[:] = whole.data - 0.3
    print(f"real {real.data[0]:.1f}   whole {whole.data[0]}")
# %% [markdown] lang="en"
# The whole number falls to 0 in one jump and then stands still for ever: writing 0.7 into a place for whole numbers cuts off
# what is behind the point, silently. A gradient that wants 0.3 of a change has no way to be heard. That is why PyTorch refuses
# to compute gradients for whole numbers at all (*"Only Tensors of floating point and complex dtype can require gradients"*), and
# why one writes the point: `1.0`, or `1.`.
#
# ## 6. What PyTorch does here
# %% [markdown] lang="ko" of="e303b768"
# 정수는 한 번에 0으로 떨어진 뒤 영원히 멈춰 있습니다. 정수 자리에 0.7을 써 넣으면 소수점 아래가 소리 없이 잘려 나가기 때문입니다. 0.3만큼
# 바꾸고 싶은 그래디언트는 뜻을 전할 길이 없습니다. 그래서 PyTorch는 정수의 그래디언트를 아예 계산해 주지 않습니다(*"Only Tensors of
# floating point and complex dtype can require gradients"*). 사람들이 `1.0`이나 `1.`처럼 점을 찍는 까닭이기도 합니다.
#
# ## 6. PyTorch에서는
# %%
import nbtorch as torch

theirs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
mine = Tensor([[1.0, 2.0], [3.0, 4.0]])
for name, formula in {"2 - x / 3": lambda x: 2 - x / 3, "1 / (x * x)": lambda x: 1 / (x * x)}.items():
    a, b = formula(theirs), formula(mine)
    print(f"{name:12} the same numbers: {np.allclose(a.numpy(), b.numpy())}, dtypes: {a.dtype}, {b.dtype}")
# %% [markdown] lang="en"
# The same numbers, from a class of some fifty lines. One small addition, so that programs may say `tensor(...)` as they do in
# PyTorch:
# %% [markdown] lang="ko" of="b41443d5"
# 쉰 줄 남짓한 클래스에서 같은 수가 나옵니다. PyTorch 프로그램처럼 `tensor(...)`라고 쓸 수 있도록 작은 것 하나만 덧붙입니다.
# %%
#@save tensor
def tensor(data, dtype=None):
    """A new tensor around a copy of the numbers."""
    return Tensor(np.array(data) if isinstance(data, np.ndarray) else data, dtype)
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. A `Tensor` is an array in a box; the box is there to remember things, from the next lesson on.
# 2. `a + b` is `a.__add__(b)`; if the left side doesn't know how, `b.__radd__(a)` is asked.
# 3. Every operation returns a **new** tensor and leaves its operands alone.
# 4. What can be made of other operations (`-`, `/`) should be: it will inherit their slopes.
# 5. Learning needs floating-point numbers; PyTorch's are of 32 bits.
#
# **What comes next.** In lesson 03 the box begins to remember: which operation made me, and of what? Then the graph draws
# itself.
# %% [markdown] lang="ko" of="1a2ecc86"
# ## 기억할 것
#
# 1. `Tensor`는 배열을 담은 상자입니다. 상자는 무언가를 기억하려고 있고, 다음 수업부터 기억하기 시작합니다.
# 2. `a + b`는 `a.__add__(b)`입니다. 왼쪽이 모르면 `b.__radd__(a)`에 묻습니다.
# 3. 연산은 언제나 **새** 텐서를 돌려주고 피연산자는 건드리지 않습니다.
# 4. 다른 연산으로 만들 수 있는 것(`-`, `/`)은 그렇게 만드는 편이 좋습니다. 기울기도 물려받기 때문입니다.
# 5. 학습에는 실수가 필요합니다. PyTorch의 실수는 32비트입니다.
#
# **다음에는.** 03번 수업에서 상자가 기억하기 시작합니다. 나를 만든 것은 어떤 연산이고, 무엇으로 만들었나? 그러면 그래프가 저절로
# 그려집니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Wrap an array in a class that behaves like a number.
# - Explain who is asked in `2 - x`.
# - Keep one dtype through a calculation.
#
# ## Three common errors
#
# 1. An array returned where a tensor is needed.
# 2. `x - 2` for `2 - x`.
# 3. 64 bits creeping in through whole numbers.
#
# ## A question to discuss
#
# Division is made of two other operations. What does one gain by having few operations, and what does one pay?
#
# ## What to skip
#
# `__truediv__` can be left to the reference; its idea returns in lesson 05.
# %% [markdown] lang="ko" of="efa1f368" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 배열을 수처럼 쓸 수 있는 클래스로 감싼다.
# - `2 - x`에서 누구에게 묻는지 설명한다.
# - 계산 내내 dtype을 하나로 지킨다.
#
# ## 흔한 오류 셋
#
# 1. 텐서가 필요한 곳에서 배열을 돌려준다.
# 2. `2 - x`를 `x - 2`로 쓴다.
# 3. 정수를 거쳐 64비트가 스며든다.
#
# ## 토론할 질문
#
# 나눗셈은 다른 두 연산으로 만들었다. 연산의 수가 적으면 무엇을 얻고 무엇을 치르는가?
#
# ## 건너뛸 것
#
# `__truediv__`는 참고 답안에 맡겨도 된다. 그 생각은 05번 수업에서 다시 나온다.
