# %% [markdown] lang="en"
# # 04 · What is a slope?
#
# *About 35 minutes, the exercises included. You need lesson 03.*
#
# **Somebody tells you that the slope of $x^3$ is $3x^2$. You can't look it up and you believe nobody. How do you find out?**
#
# The graph of lesson 03 is a map without numbers. To walk it, every operation needs a rule for its slope, and such rules are
# written by people, who make mistakes. A wrong rule raises no error: the training merely goes badly, for weeks. Today you
# build a machine that can tell a right rule from a wrong one. You will use it in every lesson from now on.
# %% [markdown] lang="ko" of="395fc666"
# # 04 · 기울기란 무엇인가
#
# 연습 문제를 포함해 약 35분. 03번 수업이 필요합니다.
#
# **누군가 $x^3$의 기울기는 $3x^2$이라고 합니다. 찾아볼 곳도 없고, 아무도 믿지 않기로 했습니다. 맞는지 어떻게 알아낼까요?**
#
# 03번 수업의 그래프는 수가 적혀 있지 않은 지도입니다. 지도를 따라 걸으려면 연산마다 기울기의 규칙이 필요한데, 규칙은 사람이 쓰고 사람은
# 틀립니다. 규칙이 틀려도 오류는 나지 않습니다. 학습이 몇 주 동안 시원치 않을 뿐입니다. 오늘은 맞는 규칙과 틀린 규칙을 가려내는 기계를
# 만듭니다. 앞으로 모든 수업에서 쓰게 될 기계입니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np
from nbtorch_widgets import Nudge

from nbtorch import course
from nbtorch.course import method

course.start("04")

from mytorch import AccumulateGrad, Add, Exp, Function, Mul, Pow, Tensor, tensor
# %% [markdown] lang="en"
# ## 1. Nudge it
#
# A slope answers a question anybody can ask: *if I nudge the input a little, by how much does the output move, per nudge?*
#
# $$\frac{f(x + h) - f(x)}{h}$$
#
# > **Predict.** For $f(x) = x^3$ at $x = 2$, towards which number do these quotients go as $h$ shrinks?
# %% [markdown] lang="ko" of="f9d0aa0c"
# ## 1. 살짝 밀어 보기
#
# 기울기는 누구나 던질 수 있는 질문에 대한 답입니다. **입력을 살짝 밀면 출력은 얼마나, 민 만큼에 견주어 움직이는가?**
#
# $$\frac{f(x + h) - f(x)}{h}$$
#
# > **예측.** $f(x) = x^3$이고 $x = 2$일 때, $h$가 작아지면 이 값은 어떤 수에 다가갈까요?
# %%
def cube(x):
    return x * x * x

for h in (1.0, 0.1, 0.01, 0.001):
    print(f"h = {h:5}   {(cube(2 + h) - cube(2)) / h:.4f}")
# %% [markdown] lang="en"
# Towards 12, which is $3 \cdot 2^2$. Whoever claimed $3x^2$ may be right, at this place at least. Geometrically, the quotient
# is the slope of a line through two points of the curve, a *secant*, and as the points come together it turns into the
# *tangent*.
#
# But look how slowly it gets there: at $h = 0.1$ it is still wrong by 0.61. The reason is that we only ever looked to the
# right, where the curve grows steeper.
#
# > **Predict.** What if we nudge by $h$ to **both** sides and take the line through those two points? At $h = 0.1$, will the
# > error be half as large, a tenth, or smaller still?
# %% [markdown] lang="ko" of="18d097d3"
# $3 \cdot 2^2$인 12에 다가갑니다. $3x^2$이라는 주장은 적어도 이 점에서는 맞는 듯합니다. 그림으로 보면 이 값은 곡선 위의 두 점을 지나는
# 직선, 곧 **할선**의 기울기이고, 두 점이 가까워지면 할선은 **접선**이 됩니다.
#
# 그런데 다가가는 속도가 느립니다. $h = 0.1$에서 아직 0.61이나 틀립니다. 곡선이 점점 가팔라지는 오른쪽만 보았기 때문입니다.
#
# > **예측.** $h$만큼 **양쪽으로** 밀고 그 두 점을 지나는 직선을 쓰면 어떨까요? $h = 0.1$일 때 오차는 절반일까요, 10분의 1일까요, 그보다도
# > 작을까요?
# %%
for h in (1.0, 0.1, 0.01, 0.001):
    one = (cube(2 + h) - cube(2)) / h
    both = (cube(2 + h) - cube(2 - h)) / (2 * h)
    print(f"h = {h:5}   one side: error {one - 12:8.6f}   both sides: error {both - 12:8.6f}")
# %% [markdown] lang="en"
# A sixtieth. "Half" is the usual guess, but what the right side has too much, the left side has too little, and the two
# cancel almost completely: the error of one side shrinks like $h$, that of both sides like $h^2$. This is the **central
# difference**, and the one you should use:
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# ## 2. Which $h$ is worst?
#
# So: as small as possible?
#
# > **Predict.** Which of these gives the worst slope: $h = 0.1$, $h = 10^{-6}$, or $h = 10^{-16}$? And is it the same for
# > numbers of 32 bits?
# %% [markdown] lang="ko" of="05937a9f"
# 60분의 1입니다. 절반이라고 답하기 쉽지만, 오른쪽이 지나친 만큼 왼쪽이 모자라 둘이 거의 완전히 지워집니다. 한쪽의 오차는 $h$처럼 줄고
# 양쪽의 오차는 $h^2$처럼 줍니다. 이것이 **중앙차분**(central difference)이고, 쓴다면 이쪽을 써야 합니다.
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# ## 2. 어떤 $h$가 가장 나쁠까요?
#
# 그렇다면 작을수록 좋을까요?
#
# > **예측.** $h = 0.1$, $h = 10^{-6}$, $h = 10^{-16}$ 가운데 기울기가 가장 크게 틀리는 것은 어느 것일까요? 32비트 수라면 답이 달라질까요?
# %%
def error(h, dtype):
    x, h = dtype(2), dtype(h)
    return abs(float((cube(x + h) - cube(x - h)) / (2 * h)) - 12)

for h in (1e-1, 1e-6, 1e-16):
    print(f"h = {h:5.0e}   64 bits: error {error(h, np.float64):.0e}   32 bits: error {error(h, np.float32):.0e}")
# %%
Nudge(cube, x=2.0, h=0.5, rule=lambda x: 3 * x * x)
# %% [markdown] lang="en"
# Left, the curve: the solid line goes through the nudged points, the dashed one has the slope $3x^2$ that somebody claims.
# Drag the point along the curve, and $h$ towards 0. Right, how far off the measured slope is, for every $h$.
#
# > **Use the widget.** (a) Each error is a V. What goes wrong on its right arm, what on its left, and where is the bottom for
# > one side, for both, for 32 bits? (b) Drag the point to $x = 0$. Why are two sides no better than one there?
#
# <details><summary><b>Answer</b></summary>
#
# (a) On the right $h$ is so large that the curve bends within it. On the left $h$ is so small that the two values agree in
# nearly all of their digits: the subtraction wipes those out, and what is left over is rounding, which the division by $h$
# blows up. At the far left the nudge itself is lost, for $2 + 10^{-16}$ *is* 2 to the computer, and the slope comes out as 0.
# The bottom lies near $10^{-8}$ for one side and near $10^{-5}$ for both; with 32 bits it is near $10^{-2}$, and far higher.
# So a slope is to be measured **to both sides and in 64 bits**, with $h$ about $10^{-6}$, whatever the training itself uses.
#
# (b) Two sides win because the bend to the left cancels the bend to the right. At 0 the cube has no bend to cancel: both
# ways give exactly $h^2$.
# </details>
#
# ## 3. For every number of a tensor
#
# A loss depends on many numbers at once, and has one slope for each of them. Nothing new is needed: nudge **one** of them, leave
# all the others alone, look at the output; then the next.
#
# ### Exercise 1 · `numerical_grad`  (10 minutes, important)
#
# `f` takes a tensor and gives a tensor; what we watch is the **sum** of its results. Use a fresh copy of the numbers for each
# nudge, so that `x` itself never changes. `np.ndindex(shape)` gives every index of an array: `(0, 0)`, `(0, 1)`, …
# %% [markdown] lang="ko" of="ceb6160c"
# 왼쪽은 곡선입니다. 실선은 민 점을 지나는 직선이고, 파선은 누군가 주장하는 기울기 $3x^2$의 직선입니다. 점을 곡선을 따라 끌어 보고, $h$를
# 0 쪽으로 줄여 보세요. 오른쪽은 $h$마다 잰 기울기가 얼마나 틀리는지입니다.
#
# > **위젯을 써 보세요.** (가) 오차는 저마다 V자입니다. 오른쪽 팔에서는 무엇이, 왼쪽 팔에서는 무엇이 잘못될까요? 한쪽, 양쪽, 32비트의 바닥은
# > 각각 어디일까요? (나) 점을 $x = 0$으로 옮겨 보세요. 거기서는 왜 양쪽이 한쪽보다 나을 것이 없을까요?
#
# <details><summary><b>답</b></summary>
#
# (가) 오른쪽은 $h$가 너무 커서 그 사이에 곡선이 휘어 버립니다. 왼쪽은 $h$가 너무 작아서 두 값이 거의 모든 자리까지 같습니다. 빼면 그 자리들은
# 사라지고 반올림 오차만 남는데, $h$로 나누면서 그 오차가 크게 부풀려집니다. 왼쪽 끝에서는 민 것 자체가 사라집니다. 컴퓨터에게
# $2 + 10^{-16}$은 **그냥** 2이므로 기울기가 0으로 나옵니다. 바닥은 한쪽이면 $10^{-8}$ 근처, 양쪽이면 $10^{-5}$ 근처입니다. 32비트에서는
# $10^{-2}$ 근처이며 훨씬 높습니다. 그러니 학습을 몇 비트로 하든 기울기는 $h$를 $10^{-6}$쯤으로 두고 **64비트로, 양쪽으로** 재야 합니다.
#
# (나) 양쪽이 이기는 것은 왼쪽으로 휜 만큼과 오른쪽으로 휜 만큼이 서로 지워지기 때문입니다. 세제곱은 0에서 지워질 휨이 없습니다. 두 방법 모두
# 정확히 $h^2$이 나옵니다.
# </details>
#
# ## 3. 텐서에 든 수 하나하나에 대해
#
# 손실은 많은 수에 한꺼번에 달려 있고, 기울기도 그 수마다 하나씩 있습니다. 새로운 것은 필요 없습니다. **하나만** 밀고 나머지는 그대로 둔 채
# 출력을 봅니다. 그리고 다음 수로 넘어갑니다.
#
# ### 연습 1 · `numerical_grad`  (10분, 중요)
#
# `f`는 텐서를 받아 텐서를 돌려줍니다. 우리가 지켜보는 것은 결과의 **합**입니다. `x`가 바뀌지 않도록 밀 때마다 수를 새로 복사해 쓰세요.
# `np.ndindex(shape)`는 배열의 모든 인덱스 `(0, 0)`, `(0, 1)`, …를 차례로 줍니다.
# %%
#@save numerical_grad
def numerical_grad(f, x, eps=1e-6):
    """The slopes of the sum of f's results in every number of the tensor x: an array of 64-bit numbers of x's shape."""
    values = x.data.astype(np.float64)
    slopes = np.zeros_like(values)
    ### BEGIN SOLUTION
    for place in np.ndindex(values.shape):
        up, down = values.copy(), values.copy()
        up[place] += eps
        down[place] -= eps
        slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)
    ### END SOLUTION
    return slopes
# %%
course.check("numerical_grad")
# %%
x = tensor([[1.0, 2.0], [3.0, 4.0]])
print(numerical_grad(lambda x: x * x * x, x).round(4))
# %% [markdown] lang="en"
# Four slopes, each $3x^2$ of its own number.
#
# Why not train a network with this? Because each slope costs two runs of the whole program. A model with a million numbers
# would need two million runs for a single step. Nudging is the judge, not the worker. The worker is a **rule**.
#
# ## 4. A rule for each operation
#
# In PyTorch the rule of an operation is its second function, `backward`. It gets `ctx`, where `forward` has put what is
# needed, and `gradient`: how fast the final result moves when **this operation's output** moves. It has to give how fast the final
# result moves when each of its **inputs** moves:
#
# $$\text{gradient of the input} = \text{gradient of the output} \times \text{the operation's own slope}$$
#
# One part for each input, as a tuple. `Add` is easy: its own slopes are 1 and 1.
# %% [markdown] lang="ko" of="d7a8590f"
# 기울기가 네 개, 저마다 자기 수의 $3x^2$입니다.
#
# 그렇다면 왜 이것으로 신경망을 학습시키지 않을까요? 기울기 하나에 프로그램 전체를 두 번씩 돌려야 하기 때문입니다. 수가 백만 개인 모델이면 한
# 걸음에 이백만 번입니다. 밀어 보기는 심판이지 일꾼이 아닙니다. 일꾼은 **규칙**입니다.
#
# ## 4. 연산마다 규칙 하나
#
# PyTorch에서 연산의 규칙은 두 번째 함수인 `backward`입니다. `forward`가 필요한 것을 넣어 둔 `ctx`와, `gradient`를 받습니다. `gradient`는
# **이 연산의 출력**이 움직일 때 최종 결과가 얼마나 움직이는지입니다. `backward`는 **입력** 하나하나가 움직일 때 최종 결과가 얼마나 움직이는지를
# 돌려주어야 합니다.
#
# $$\text{입력의 그래디언트} = \text{출력의 그래디언트} \times \text{연산 자신의 기울기}$$
#
# 입력마다 하나씩, 튜플로 돌려줍니다. `Add`는 쉽습니다. 자신의 기울기가 1과 1입니다.
# %%
#@save Add.backward
@method(Add)
@staticmethod
def backward(ctx, gradient):
    return gradient, gradient
# %% [markdown] lang="en"
# ### Exercise 2 · `Mul.backward`  (6 minutes, important)
#
# `Mul` has saved both factors: `a, b = ctx.saved_tensors`. Its own slope in the direction of $a$ is $b$, and the other way round.
# %% [markdown] lang="ko" of="8759925a"
# ### 연습 2 · `Mul.backward`  (6분, 중요)
#
# `Mul`은 두 인수를 모두 저장해 두었습니다. `a, b = ctx.saved_tensors`. $a$ 방향의 기울기는 $b$이고, $b$ 방향은 그 반대입니다.
# %%
#@save Mul.backward
@method(Mul)
@staticmethod
def backward(ctx, gradient):
    ### BEGIN SOLUTION
    a, b = ctx.saved_tensors
    return gradient * b, gradient * a
    ### END SOLUTION
# %%
course.check("Mul.backward")
# %% [markdown] lang="en"
# ### Exercise 3 · `Exp.backward`  (4 minutes)
#
# One input, so a tuple of one: `(something,)`. What `Exp` saved is its *result*.
# %% [markdown] lang="ko" of="06a12815"
# ### 연습 3 · `Exp.backward`  (4분)
#
# 입력이 하나이므로 원소가 하나인 튜플 `(무엇,)`입니다. `Exp`가 저장한 것은 **결과**입니다.
# %%
#@save Exp.backward
@method(Exp)
@staticmethod
def backward(ctx, gradient):
    ### BEGIN SOLUTION
    (out,) = ctx.saved_tensors
    return (gradient * out,)
    ### END SOLUTION
# %%
course.check("Exp.backward")
# %% [markdown] lang="en"
# The power's rule is given: $\frac{d}{da} a^n = n\,a^{n-1}$, and `None` for the exponent, which is a plain number and wants no
# gradient. Beside it a first `backward()` for tensors. It asks the rule of the **one** operation that made the tensor and hands
# the parts to the leaves; where there is a second operation behind, it gives up.
# %% [markdown] lang="ko" of="4a640839"
# 거듭제곱의 규칙은 적어 두었습니다. $\frac{d}{da} a^n = n\,a^{n-1}$이고, 지수는 그냥 수라서 그래디언트가 필요 없으니 `None`입니다. 그 아래에는
# 텐서의 첫 `backward()`가 있습니다. 텐서를 만든 연산 **하나**의 규칙에 물어 잎들에 나누어 줍니다. 그 뒤에 연산이 또 있으면 포기합니다.
# %%
#@save Pow.backward
@method(Pow)
@staticmethod
def backward(ctx, gradient):
    a, exponent = ctx.saved_tensors
    return gradient * exponent * a ** (exponent - 1), None
# %%
#@save Tensor.backward
@method(Tensor)
def backward(self, gradient=None):
    """Gradients of the inputs of one operation; lesson 05 walks the whole graph."""
    arrived = np.ones_like(self.data) if gradient is None else gradient.data
    parts = self.grad_fn.operation.backward(self.grad_fn, arrived)
    for (function, _), part in zip(self.grad_fn.next_functions, parts):
        if isinstance(function, AccumulateGrad):
            function.variable.grad = tensor(part)
        elif function is not None:
            raise RuntimeError(f"{function.name()} lies behind {self.grad_fn.name()}; only lesson 05 goes on from there")
# %%
w, x = tensor(3.0, requires_grad=True), tensor(2.0)
(w * x).backward()
print("by the rule:", w.grad, "  by nudging:", numerical_grad(lambda w: w * x, w).round(4))
# %% [markdown] lang="en"
# ## 5. The judge
#
# Two ways to the same number: that is a test. It needs one more decision: when do two slopes count as *the same*? Not when they
# are equal, for nudging is never exact.
#
# ### Exercise 4 · `agree`  (8 minutes)
#
# Say `True` if the arrays have the same shape and **every** pair is close: `|claimed - nudged| <= atol + rtol * |nudged|`. The
# relative part, `rtol`, is for large slopes, whose last digits are noise; the absolute part, `atol`, for slopes of 0.
# %% [markdown] lang="ko" of="a85b3255"
# ## 5. 심판
#
# 같은 수에 이르는 길이 둘이면 시험할 수 있습니다. 정할 것이 하나 남았습니다. 두 기울기는 언제 **같은** 것으로 볼까요? 밀어 보기는 정확하지
# 않으므로 똑같아야 한다고 할 수는 없습니다.
#
# ### 연습 4 · `agree`  (8분)
#
# 두 배열의 모양이 같고 **모든** 쌍이 가까우면 `True`입니다. `|claimed - nudged| <= atol + rtol * |nudged|`. 상대적인 부분 `rtol`은 끝자리가
# 잡음인 큰 기울기를 위한 것이고, 절대적인 부분 `atol`은 0인 기울기를 위한 것입니다.
# %%
#@save agree
def agree(claimed, nudged, rtol=1e-3, atol=1e-5):
    """Whether two arrays of slopes are the same up to small errors."""
    ### BEGIN SOLUTION
    if claimed.shape != nudged.shape:
        return False
    return bool((abs(claimed - nudged) <= atol + rtol * abs(nudged)).all())
    ### END SOLUTION
# %%
course.check("agree")
# %% [markdown] lang="en"
# Now the machine itself, under PyTorch's name. It nudges every input in turn and compares. Two details: it works in 64 bits
# (part 2), and it doesn't send a gradient of ones into `backward` but numbers between 1 and 2. You will see why.
# %% [markdown] lang="ko" of="376c73d6"
# 이제 기계입니다. 이름은 PyTorch와 같습니다. 입력을 하나씩 밀어 보고 비교합니다. 눈여겨볼 것이 둘 있습니다. 64비트로 계산하고(2장), `backward`에
# 1이 아니라 1과 2 사이의 수를 보냅니다. 왜 그러는지는 곧 알게 됩니다.
# %%
#@save gradcheck
def gradcheck(f, inputs, eps=1e-6, atol=1e-5, rtol=1e-3):
    """True where backward agrees with nudging for every input; else a RuntimeError that shows both."""
    inputs = [inputs] if isinstance(inputs, Tensor) else inputs
    doubles = [tensor(x.data.astype(np.float64), requires_grad=True) for x in inputs]
    out = f(*doubles)
    weights = np.random.default_rng(0).uniform(1.0, 2.0, out.shape)
    out.backward(Tensor(weights))
    for i, x in enumerate(doubles):
        alone = lambda value: Tensor(f(*doubles[:i], value, *doubles[i + 1 :]).data * weights)
        nudged = numerical_grad(alone, x, eps)
        claimed = np.array(np.nan) if x.grad is None else x.grad.data
        if not agree(claimed, nudged, rtol, atol):
            raise RuntimeError(f"input {i}: backward says {claimed.round(3).tolist()}, nudging {nudged.round(3).tolist()}")
    return True
# %%
a, b = tensor([1.0, 2.0, 3.0]), tensor([0.5, -1.0, 4.0])
print("Add:", gradcheck(Add.apply, [a, b]), "  Mul:", gradcheck(Mul.apply, [a, b]), "  Exp:", gradcheck(Exp.apply, a))
# %% [markdown] lang="en"
# ## 6. Find the bug: three rules
#
# Three colleagues have each written an operation. All of them compute the right *numbers*.
#
# > **Predict.** Read the three rules. Which are wrong, and which of the wrong ones would pass if `gradcheck` sent in ones?
# %% [markdown] lang="ko" of="1eab4370"
# ## 6. 버그 찾기: 규칙 셋
#
# 동료 셋이 연산을 하나씩 썼습니다. 셋 다 **값**은 맞게 계산합니다.
#
# > **예측.** 규칙 셋을 읽어 보세요. 틀린 것은 어느 것일까요? 틀린 것 가운데 `gradcheck`가 1을 보냈다면 통과했을 것은 어느 것일까요?
# %%
class Square(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return a * a

    @staticmethod
    def backward(ctx, gradient):
        return (2 * ctx.saved_tensors[0],)
# %%
class Cube(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return a * a * a

    @staticmethod
    def backward(ctx, gradient):
        return (gradient * 3 * ctx.saved_tensors[0] ** 2,)
# %%
class Inverse(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return 1 / a

    @staticmethod
    def backward(ctx, gradient):
        return (gradient / ctx.saved_tensors[0] ** 2,)
# %%
for operation in (Square, Cube, Inverse):
    try:
        print(f"{operation.__name__:8} right: {gradcheck(operation.apply, tensor([1.0, 2.0]))}")
    except RuntimeError as wrong:
        print(f"{operation.__name__:8} {wrong}")
# %% [markdown] lang="en"
# <details><summary><b>What was wrong</b></summary>
#
# `Inverse` has lost a sign: the slope of $1/a$ is $-1/a^2$. `Square` is the treacherous one. Its own slope, $2a$, is right, but it
# forgets the gradient that **comes in**: as the last operation of a program it works, for there a 1 comes in, and anywhere
# else it silently cuts off everything behind it. With ones, it would have passed. That is what the numbers between 1 and 2
# are for.
# </details>
#
# There is one more that the machine catches, and it isn't the fault of any rule:
# %% [markdown] lang="ko" of="33eddc98"
# <details><summary><b>무엇이 틀렸을까요?</b></summary>
#
# `Inverse`는 부호를 잃었습니다. $1/a$의 기울기는 $-1/a^2$입니다. 더 고약한 것은 `Square`입니다. 자신의 기울기 $2a$는 맞지만 **들어온**
# 그래디언트를 잊었습니다. 프로그램의 마지막 연산일 때는 1이 들어오므로 잘 되는 것처럼 보이고, 다른 자리에서는 그 뒤에 있는 것을 소리 없이 모두
# 잘라 버립니다. 1을 보냈다면 통과했을 것입니다. 1과 2 사이의 수를 보낸 까닭입니다.
# </details>
#
# 기계가 잡아내는 것이 하나 더 있습니다. 이번에는 어떤 규칙의 잘못도 아닙니다.
# %%
w = tensor(3.0, requires_grad=True)
(w * w).backward()
print("w * w at 3, by backward:", w.grad.item(), "  by nudging:", numerical_grad(lambda w: w * w, w).round(4))
# %% [markdown] lang="en"
# 3 instead of 6, although `Mul`'s rule is right: it sends 3 along one arrow and 3 along the other. Both arrive at the same
# leaf. What should happen there? Keep that in mind for lesson 05.
#
# ## 7. What PyTorch does here
#
# PyTorch has the same judge, with the same tolerances. It warns of 32 bits, for the reason you saw in the widget.
# %% [markdown] lang="ko" of="e47e6abd"
# 6이어야 하는데 3입니다. `Mul`의 규칙은 맞습니다. 한 화살표로 3을, 다른 화살표로 3을 보냅니다. 그런데 둘 다 같은 잎에 도착합니다. 거기서는
# 무슨 일이 일어나야 할까요? 05번 수업까지 기억해 두세요.
#
# ## 7. PyTorch에서는
#
# PyTorch에도 허용 오차까지 같은 심판이 있습니다. 32비트 수를 주면 경고합니다. 까닭은 위젯에서 본 그대로입니다.
# %%
import nbtorch as torch

a = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
b = torch.tensor([0.5, -1.0, 4.0], dtype=torch.float64, requires_grad=True)
print(torch.autograd.gradcheck(lambda a, b: a * b, (a, b)), torch.autograd.gradcheck(torch.exp, (a,)))
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. A slope says how far the output moves per nudge of the input. It can be measured, with no rule at all.
# 2. Nudge to both sides, in 64 bits, by about $10^{-6}$: larger and the curve bends, smaller and rounding takes over.
# 3. A rule, `backward`, multiplies the gradient that **comes in** by the operation's own slope.
# 4. Nudging costs two runs per number; a rule costs one multiplication. So rules work and nudging judges: `gradcheck`.
# 5. Never trust a derivative that nobody has checked, least of all your own.
#
# **What comes next.** The rules are right, and yet `w * w` came out wrong, and two operations in a row don't work at all. Lesson 05
# walks the whole graph.
# %% [markdown] lang="ko" of="98aab522"
# ## 기억할 것
#
# 1. 기울기는 입력을 밀었을 때 출력이 그에 견주어 얼마나 움직이는지입니다. 규칙이 없어도 잴 수 있습니다.
# 2. 64비트로, 양쪽으로, $10^{-6}$쯤 미세요. 더 크면 곡선이 휘고 더 작으면 반올림 오차가 이깁니다.
# 3. 규칙 `backward`는 **들어온** 그래디언트에 연산 자신의 기울기를 곱합니다.
# 4. 밀어 보기는 수 하나에 두 번의 실행이, 규칙은 곱셈 한 번이 듭니다. 그래서 일은 규칙이 하고 심판은 밀어 보기가 봅니다. 바로 `gradcheck`입니다.
# 5. 아무도 검사하지 않은 도함수를 믿지 마세요. 내가 쓴 것이라면 더더욱 믿지 마세요.
#
# **다음에는.** 규칙은 모두 맞는데 `w * w`는 틀렸고, 연산 두 개가 이어지면 아예 되지 않습니다. 05번 수업에서 그래프 전체를 걷습니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Measure a slope, to both sides, in 64 bits.
# - Say what the gradient that comes in does in a rule.
# - Use `gradcheck` before trusting any derivative.
#
# ## Three common errors
#
# 1. Dividing by h where it should be 2h.
# 2. Nudging all numbers at once, or in a copy that was nudged before.
# 3. A rule that forgets the gradient that comes in; it works as long as it stands last.
#
# ## A question to discuss
#
# Nudging needs no mathematics at all. Why does nobody train with it, and where would you still use it?
#
# ## What to skip
#
# Question (b) at the widget; `agree` may be left to the reference.
# %% [markdown] lang="ko" of="4af8be47" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 기울기를 64비트로, 양쪽으로 밀어서 잰다.
# - 규칙에서 들어오는 그래디언트가 하는 일을 말한다.
# - 도함수를 믿기 전에 `gradcheck`를 쓴다.
#
# ## 흔한 오류 셋
#
# 1. 2h로 나눌 것을 h로 나눈다.
# 2. 모든 수를 한꺼번에 밀거나, 이미 민 복사본을 또 민다.
# 3. 들어온 그래디언트를 잊은 규칙. 맨 끝에 있는 동안은 잘 되는 것처럼 보인다.
#
# ## 토론할 질문
#
# 밀어 보기에는 수학이 전혀 필요 없다. 왜 아무도 이것으로 학습하지 않을까? 그래도 쓸 만한 곳은 어디일까?
#
# ## 건너뛸 것
#
# 위젯의 질문 (나). `agree`는 참고 답안에 맡겨도 된다.
