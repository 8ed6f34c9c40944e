# %% [markdown] lang="en"
# # 03 · The graph draws itself
#
# *About 45 minutes, the exercises included. You need lesson 02.*
#
# **In lesson 00 you wrote `loss.backward()`, and the loss knew the whole formula that had made it. You never told it. Who did?**
#
# Nobody wrote the formula down; it was *noted while it ran*. Today every operation on your `Tensor` begins to leave a small
# note: what it did, and to what. The notes point to each other, and together they are the graph. You will write the few lines
# that do it, and then watch the graph of an ordinary Python program, with its `if` and `for`, draw itself.
# %% [markdown] lang="ko" of="aa4f375d"
# # 03 · 저절로 그려지는 그래프
#
# 연습 문제를 포함해 약 45분. 02번 수업이 필요합니다.
#
# **00번 수업에서 `loss.backward()`라고만 썼는데, 손실은 자기를 만든 식을 통째로 알고 있었습니다. 여러분은 알려 준 적이 없습니다. 누가 알려
# 주었을까요?**
#
# 식을 적어 둔 사람은 없습니다. **실행되는 동안 기록되었을** 뿐입니다. 오늘부터 여러분의 `Tensor`로 하는 모든 연산이 작은 기록을 남깁니다.
# 무엇을 했고, 무엇에 했는지. 기록들은 서로를 가리키고, 그것이 모여 그래프가 됩니다. 그 일을 하는 몇 줄을 직접 쓴 다음, `if`와 `for`가 있는
# 평범한 파이썬 프로그램의 그래프가 저절로 그려지는 것을 지켜봅니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np

from nbtorch import course
from nbtorch.course import method

course.start("03")

from mytorch import Tensor, as_tensor, pair, tensor
# %% [markdown] lang="en"
# The last line imports from **your own library**: the cells that you have saved, and the reference where an exercise is still
# open. You find it beside the lessons as the folder `mytorch`; have a look into it.
#
# ## 1. What has to be remembered
#
# > **Predict.** `c = a * b`. To find out later how `c` moves when `a` moves, what must `c` still know?
# %% [markdown] lang="ko" of="e3e986a1"
# 마지막 줄은 **여러분의 라이브러리**에서 가져옵니다. 저장된 셀들이 들어 있고, 아직 풀지 않은 연습 문제는 참고 답안이 대신합니다. 수업
# 노트북 옆에 `mytorch`라는 폴더로 놓여 있으니 열어 보세요.
#
# ## 1. 무엇을 기억해야 할까요
#
# > **예측.** `c = a * b`입니다. 나중에 `a`가 움직일 때 `c`가 얼마나 움직이는지 알아내려면 `c`는 무엇을 알고 있어야 할까요?
# %% [markdown] lang="en"
# Three things: **which operation** made it (a product), **whose results** went in (those of `a` and `b`, so that one can go on from
# there), and **a few numbers** (the slope in the direction of `a` is the number in `b`). An object that knows these three is
# called a **node**.
# %% [markdown] lang="ko" of="76dfbc5e"
# 세 가지입니다. **어떤 연산**이 만들었는지(곱셈), **누구의 결과**가 들어갔는지(`a`와 `b`. 거기서 계속 거슬러 갈 수 있어야 하니까요), 그리고
# **수 몇 개**(`a` 방향의 기울기는 `b`에 든 수입니다). 이 셋을 아는 객체를 **노드**(node)라고 합니다.
# %%
#@save Node
class Node:
    """What an operation remembers: which one it was, where its inputs came from, and what it saved."""

    def __init__(self, operation, inputs):
        self.operation = operation
        self.next_functions = tuple((source(value), 0) for value in inputs)
        self.saved_tensors = ()

    def save_for_backward(self, *arrays):
        self.saved_tensors = arrays

    def name(self):
        return f"{self.operation.__name__}Backward"
# %% [markdown] lang="en"
# `next_functions` is PyTorch's name for the arrows: "the functions that come next" when one walks *back* from the result. (The 0
# in each pair says which output was used; ours have only one.)
#
# A tensor that nobody computed has no node. If it is to learn, it says so with `requires_grad`, and its arrow ends in a special
# little node that knows the tensor itself: there, the gradient will be **accumulated**.
# %% [markdown] lang="ko" of="a00aae51"
# `next_functions`는 화살표를 가리키는 PyTorch의 이름입니다. 결과에서 **거슬러** 걸을 때 "다음에 오는 함수들"이라는 뜻입니다. (각 쌍의 0은 몇
# 번째 출력인지를 나타내는데, 우리 연산은 출력이 하나뿐입니다.)
#
# 아무도 계산하지 않은 텐서에는 노드가 없습니다. 배워야 하는 텐서는 `requires_grad`로 그렇다고 밝히고, 그 화살표는 텐서 자신을 아는 작은
# 특별한 노드에서 끝납니다. 그래디언트가 **쌓일** 곳입니다.
# %%
#@save AccumulateGrad
class AccumulateGrad:
    """Where the graph ends: at a tensor that was not computed and wants a gradient."""

    next_functions = ()

    def __init__(self, variable):
        self.variable = variable

    def name(self):
        return "AccumulateGrad"

Tensor.grad_fn = None
Tensor.grad = None
Tensor.requires_grad = False
# %%
#@save Tensor.is_leaf
@method(Tensor)
@property
def is_leaf(self):
    return self.grad_fn is None

def tensor(data, dtype=None, requires_grad=False):
    """A new tensor around a copy of the numbers."""
    made = Tensor(np.array(data) if isinstance(data, np.ndarray) else data, dtype)
    if requires_grad and made.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point dtype can require gradients")
    made.requires_grad = requires_grad
    return made
# %% [markdown] lang="en"
# ### Exercise 1 · `source`  (8 minutes, important)
#
# Where does the arrow from an operation to one of its inputs lead? Write it down for the three cases:
#
# * the input was computed: to the node that made it, its `grad_fn`;
# * it was not, but wants a gradient: to a new `AccumulateGrad` of it;
# * neither, or it isn't a tensor at all (a plain number): nowhere, `None`.
# %% [markdown] lang="ko" of="6bc2f6e0"
# ### 연습 1 · `source`  (8분, 중요)
#
# 연산에서 입력으로 가는 화살표는 어디를 가리킬까요? 세 경우를 코드로 쓰세요.
#
# * 입력이 계산된 것이면: 그것을 만든 노드, 곧 `grad_fn`
# * 계산되지는 않았지만 그래디언트가 필요하면: 그 텐서의 새 `AccumulateGrad`
# * 둘 다 아니거나 텐서가 아니면(그냥 수): 어디로도 가지 않으니 `None`
# %%
#@save source
def source(value):
    """Where the gradient of an operation's input has to go."""
    ### BEGIN SOLUTION
    if not isinstance(value, Tensor):
        return None
    if value.grad_fn is not None:
        return value.grad_fn
    return AccumulateGrad(value) if value.requires_grad else None
    ### END SOLUTION
# %%
course.check("source")
# %% [markdown] lang="en"
# ## 2. An operation that takes notes
#
# Now the operations. In PyTorch each is a class with two functions: `forward` computes, `backward` (lesson 05) knows the slope.
# Both get `ctx`, the *context*, which is nothing but the node: there `forward` puts what `backward` will want to see again.
# %% [markdown] lang="ko" of="1c04fd3f"
# ## 2. 기록을 남기는 연산
#
# 이제 연산입니다. PyTorch에서 연산은 함수 두 개를 가진 클래스입니다. `forward`는 계산하고, `backward`(05번 수업)는 기울기를 압니다. 둘 다
# `ctx`, 곧 **문맥**(context)을 받는데 다름 아닌 노드입니다. `forward`는 나중에 `backward`가 다시 볼 것을 거기에 넣어 둡니다.
# %%
#@save Function
class Function:
    """An operation; a subclass has `forward(ctx, *arrays)` and, from lesson 05 on, `backward(ctx, gradient)`."""
# %% [markdown] lang="en"
# ### Exercise 2 · `Function.apply`  (10 minutes, important)
#
# `Mul.apply(a, b)` runs an operation and takes the note. Four steps, a line or two each:
#
# 1. make the node: `ctx = Node(cls, inputs)`;
# 2. compute: `cls.forward(ctx, ...)` wants arrays, so hand it `value.data` for each tensor, and anything else as it is;
# 3. put the result into a `Tensor`;
# 4. if **any** input tensor requires a gradient, so does the result, and its `grad_fn` is the node. If none does, no note is
#    kept.
# %% [markdown] lang="ko" of="6844ba85"
# ### 연습 2 · `Function.apply`  (10분, 중요)
#
# `Mul.apply(a, b)`는 연산을 실행하고 기록을 남깁니다. 네 단계이고, 각각 한두 줄입니다.
#
# 1. 노드를 만듭니다. `ctx = Node(cls, inputs)`
# 2. 계산합니다. `cls.forward(ctx, ...)`는 배열을 받으므로 텐서는 `value.data`를, 그 밖의 것은 그대로 넘깁니다.
# 3. 결과를 `Tensor`에 담습니다.
# 4. 입력 텐서 가운데 **하나라도** 그래디언트가 필요하면 결과도 필요하고, 결과의 `grad_fn`은 그 노드입니다. 하나도 없으면 기록을 남기지
#    않습니다.
# %%
#@save Function.apply
@method(Function)
@classmethod
def apply(cls, *inputs):
    ### BEGIN SOLUTION
    ctx = Node(cls, inputs)
    out = Tensor(cls.forward(ctx, *[v.data if isinstance(v, Tensor) else v for v in inputs]))
    if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
        out.requires_grad = True
        out.grad_fn = ctx
    return out
    ### END SOLUTION
# %%
course.check("Function.apply")
# %% [markdown] lang="en"
# ### Exercise 3 · two operations  (8 minutes)
#
# `Add` is there as an example: its slope is 1 whatever the numbers are, so it saves nothing. Write the other two. What must they
# save? The slope of $a\,b$ in the direction of $a$ is $b$, and the other way round. And the slope of $e^a$ is $e^a$ again, which
# is the *result*: it would be a pity to compute that twice.
# %% [markdown] lang="ko" of="cf927ec0"
# ### 연습 3 · 두 연산  (8분)
#
# `Add`는 본보기입니다. 수가 무엇이든 기울기가 1이므로 저장할 것이 없습니다. 나머지 둘을 쓰세요. 무엇을 저장해야 할까요? $a\,b$의 $a$ 방향
# 기울기는 $b$이고, $b$ 방향은 그 반대입니다. $e^a$의 기울기는 다시 $e^a$, 곧 **결과**입니다. 두 번 계산하기에는 아깝습니다.
# %%
#@save Add
class Add(Function):
    @staticmethod
    def forward(ctx, a, b):
        return a + b

class Mul(Function):
    """a * b"""

class Exp(Function):
    """e to the power of a"""
# %%
#@save Mul.forward
@method(Mul)
@staticmethod
def forward(ctx, a, b):
    ### BEGIN SOLUTION
    ctx.save_for_backward(a, b)
    return a * b
    ### END SOLUTION
# %%
course.check("Mul.forward")
# %%
#@save Exp.forward
@method(Exp)
@staticmethod
def forward(ctx, a):
    ### BEGIN SOLUTION
    out = np.exp(a)
    ctx.save_for_backward(out)
    return out
    ### END SOLUTION
# %%
course.check("Exp.forward")
# %% [markdown] lang="en"
# Last, the signs and names of lesson 02 are hung onto the new operations. From here on, every sum and every product takes notes.
# %% [markdown] lang="ko" of="818c090b"
# 마지막으로 02번 수업의 기호와 이름을 새 연산에 연결합니다. 이제부터 모든 덧셈과 곱셈이 기록을 남깁니다.
# %%
#@save Pow
class Pow(Function):
    @staticmethod
    def forward(ctx, a, exponent):
        ctx.save_for_backward(a, exponent)
        return a**exponent

Tensor.__add__ = Tensor.__radd__ = lambda self, other: Add.apply(*pair(self, other))
Tensor.__mul__ = Tensor.__rmul__ = lambda self, other: Mul.apply(*pair(self, other))
Tensor.__pow__ = lambda self, exponent: Pow.apply(self, exponent)
Tensor.exp = lambda self: Exp.apply(self)
# %% [markdown] lang="en"
# ## 3. Look at it
#
# > **Predict.** How many operations, and how many leaves, will the drawing of `loss` have? And how often does `w` occur in it?
# %% [markdown] lang="ko" of="734767dd"
# ## 3. 들여다보기
#
# > **예측.** `loss`의 그림에는 연산이 몇 개, 잎이 몇 개 있을까요? `w`는 그 안에 몇 번 나올까요?
# %%
w = tensor(3.0, requires_grad=True)
x = tensor(2.0)
loss = (w * x + w).exp()
# %graph loss
# %% [markdown] lang="en"
# Three operations, one leaf that learns. `w` occurs **once**, with two arrows leaving it: the graph isn't a tree. That will be
# the one difficulty of lesson 05, because two gradients will come back to `w`, by two ways. `x` takes part with its number only;
# it doesn't require a gradient, so no arrow leads to it.
#
# The notes can be read without a drawing, too:
# %% [markdown] lang="ko" of="28bd0b46"
# 연산은 셋, 배우는 잎은 하나입니다. `w`는 **한 번** 나오고 거기에서 화살표 두 개가 나갑니다. 그래프는 나무가 아닙니다. 05번 수업의 단 하나뿐인
# 어려움이 여기에 있습니다. 그래디언트 두 개가 두 길로 `w`에 돌아오기 때문입니다. `x`는 수로만 참여합니다. 그래디언트가 필요 없으므로
# 그리로 가는 화살표는 없습니다.
#
# 기록은 그림 없이도 읽을 수 있습니다.
# %%
node = loss.grad_fn
while node is not None:
    print(node.name(), "saved", [round(float(a), 1) for a in getattr(node, "saved_tensors", ())])
    node = node.next_functions[0][0] if node.next_functions else None
# %% [markdown] lang="en"
# ## 4. A different program, a different graph
#
# Nothing was declared beforehand. So an ordinary `if` or `for` needs no special support at all: the graph holds what *happened*.
#
# > **Predict.** `walk(2.0)` and `walk(0.5)` run the same function. Which gives the longer graph?
# %% [markdown] lang="ko" of="3ed0574b"
# ## 4. 프로그램이 다르면 그래프도 다릅니다
#
# 미리 선언해 둔 것은 아무것도 없습니다. 그래서 평범한 `if`나 `for`에 특별한 장치가 필요 없습니다. 그래프에는 **실제로 일어난 일**만
# 들어 있습니다.
#
# > **예측.** `walk(2.0)`과 `walk(0.5)`는 같은 함수를 실행합니다. 어느 쪽의 그래프가 더 길까요?
# %%
def walk(start):
    x = tensor(start, requires_grad=True)
    y = x
    while y.item() < 5:
        y = y * 2 + 1 if y.item() > 1 else y + x
    return y

def length(node):
    steps = 0
    while node.next_functions:
        node, steps = node.next_functions[0][0], steps + 1
    return steps

for start in (2.0, 0.5):
    print(f"walk({start}) ends at {walk(start).item()} after {length(walk(start).grad_fn)} operations")
# %% [markdown] lang="en"
# The one that starts lower: it takes more rounds of the `while`. This is what PyTorch's *dynamic graph* means: the graph is the
# trace of this run, made anew by the next.
#
# ## 5. Break it: lose the thread
#
# Somebody finds `x.exp()` too slow and calls NumPy directly. The numbers are right.
#
# > **Predict.** What is `y.grad_fn`?
# %% [markdown] lang="ko" of="7bdfca64"
# 더 낮은 곳에서 출발한 쪽입니다. `while`을 더 여러 번 돌기 때문입니다. PyTorch의 **동적 그래프**(dynamic graph)가 바로 이런 뜻입니다.
# 그래프는 이번 실행의 자취이고, 다음 실행은 새 그래프를 만듭니다.
#
# ## 5. 망가뜨리기: 실을 놓치다
#
# 누군가 `x.exp()`가 느리다며 NumPy를 직접 부릅니다. 수는 맞습니다.
#
# > **예측.** `y.grad_fn`은 무엇일까요?
# %%
x = tensor(1.0, requires_grad=True)
y = Tensor(np.exp(x.data)) * 2

print("the number:", round(y.item(), 4))
print("requires_grad:", y.requires_grad, "  grad_fn:", y.grad_fn)
# %% [markdown] lang="en"
# `None`: the exponential happened behind the graph's back, so `y` looks like plain data, and nothing computed from it will ever
# reach `x`. There is no error. In PyTorch the same happens with `.numpy()`, `.item()`, `.detach()` and `torch.tensor(y)` in the middle of
# a model, and the sign is always the same: a gradient that stays `None`. When that happens to you, ask each step for its `grad_fn`
# and find the first that has none. (nbtorch does it for you: `%whatgrad x`.)
#
# ## 6. What PyTorch does here
#
# The same names, the same arrows. Only the 0 behind a name is new: PyTorch numbers the versions of its operations.
# %% [markdown] lang="ko" of="4254c39c"
# `None`입니다. 지수 계산이 그래프 몰래 일어났으므로 `y`는 그냥 데이터처럼 보이고, `y`로 계산한 어떤 것도 `x`에 닿지 못합니다. 오류는 나지
# 않습니다. PyTorch에서도 모델 중간에 `.numpy()`, `.item()`, `.detach()`, `torch.tensor(y)`를 쓰면 같은 일이 생기고, 징후도 언제나 같습니다.
# 그래디언트가 `None`인 채로 남습니다. 그럴 때는 단계마다 `grad_fn`을 물어 처음으로 없는 곳을 찾으세요. (nbtorch에서는 `%whatgrad x`가
# 대신 찾아 줍니다.)
#
# ## 6. PyTorch에서는
#
# 이름도 같고 화살표도 같습니다. 이름 뒤의 0만 새롭습니다. PyTorch는 연산의 버전에 번호를 붙입니다.
# %%
import nbtorch as torch

w, x = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0)
loss = (w * x + w).exp()
print(loss.grad_fn.name(), "<-", [f.name() for f, _ in loss.grad_fn.next_functions])
print(loss.grad_fn.next_functions[0][0].name(), "<-", [f.name() for f, _ in loss.grad_fn.next_functions[0][0].next_functions])
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. While the numbers go forwards, each operation leaves a **node**: its name, arrows to where its inputs came from, and the
#    numbers it will need.
# 2. The arrows end at **leaves** with `requires_grad`; one leaf may be reached by many.
# 3. The graph holds what happened, so `if`, `for` and `while` need nothing special.
# 4. What is computed outside the operations breaks the thread, silently: `grad_fn` is `None`.
# 5. No slope has been computed yet. The graph is only the map.
#
# **What comes next.** To walk the map one must know the slope of each operation. Lesson 04 asks what a slope is, and builds a
# machine that finds out whether somebody's slope is right.
# %% [markdown] lang="ko" of="27d570f7"
# ## 기억할 것
#
# 1. 수가 앞으로 나아가는 동안 연산마다 **노드**를 남깁니다. 이름, 입력이 온 곳을 가리키는 화살표, 나중에 필요할 수.
# 2. 화살표는 `requires_grad`인 **잎**에서 끝납니다. 하나의 잎에 여러 화살표가 닿을 수 있습니다.
# 3. 그래프에는 일어난 일이 담기므로 `if`, `for`, `while`에 특별한 것이 필요 없습니다.
# 4. 연산 밖에서 계산하면 실이 소리 없이 끊어지고, `grad_fn`은 `None`이 됩니다.
# 5. 기울기는 아직 하나도 계산하지 않았습니다. 그래프는 지도일 뿐입니다.
#
# **다음에는.** 지도를 따라 걸으려면 연산 하나하나의 기울기를 알아야 합니다. 04번 수업에서는 기울기란 무엇인지 묻고, 누군가가 쓴
# 기울기가 맞는지 알아내는 기계를 만듭니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Describe a node: operation, arrows, saved numbers.
# - Say when a graph is made and why `if` and `for` need nothing special.
# - Find the place where the thread breaks.
#
# ## Three common errors
#
# 1. Two nodes instead of one, so that what was saved is lost.
# 2. `all` for `any`: one input that learns is enough.
# 3. The input saved where the result would do.
#
# ## A question to discuss
#
# A graph could also be declared before it runs. What becomes easier then, and what becomes impossible?
#
# ## What to skip
#
# Exercise 3 for `Exp` alone; `Mul` shows all there is.
# %% [markdown] lang="ko" of="929eea75" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 노드를 연산, 화살표, 저장된 수로 설명한다.
# - 그래프가 언제 만들어지고 `if`와 `for`에 왜 특별한 것이 필요 없는지 말한다.
# - 실이 끊어진 곳을 찾는다.
#
# ## 흔한 오류 셋
#
# 1. 노드를 두 개 만들어 저장한 것을 잃는다.
# 2. `any` 대신 `all`을 쓴다. 배우는 입력은 하나면 된다.
# 3. 결과면 충분한 곳에서 입력을 저장한다.
#
# ## 토론할 질문
#
# 그래프를 실행 전에 미리 선언할 수도 있다. 그러면 무엇이 쉬워지고 무엇이 불가능해질까?
#
# ## 건너뛸 것
#
# 연습 3의 `Exp`. `Mul`에 필요한 것이 모두 있다.
