# %% [markdown] lang="en"
# # 08 · ★ Linear regression
#
# *About 60 minutes, the exercises included. You need lesson 07.*
#
# **Lesson 00 ran a program on nbtorch. Can it run on the library that you have written, and print the same losses?**
#
# All the operations are there. You will train a line with a bare loop first, then give each part of that loop the name that PyTorch
# gives it: `nn.Linear`, `nn.MSELoss`, `optim.SGD`. At the end the article's program runs with nothing changed but its imports.
# %% [markdown] lang="ko" of="bff2afbd"
# # 08 · ★ 선형 회귀
#
# *연습 문제를 포함해 약 60분. 07번 수업이 필요합니다.*
#
# **00번 수업의 프로그램은 nbtorch로 돌아갔습니다. 여러분이 직접 쓴 라이브러리로도 돌아가고, 같은 손실을 출력할까요?**
#
# 연산은 모두 갖추었습니다. 먼저 맨 반복문으로 직선을 학습시키고, 그다음 반복문의 각 부분에 PyTorch가 쓰는 이름을 붙입니다. `nn.Linear`,
# `nn.MSELoss`, `optim.SGD`입니다. 마지막에는 글의 프로그램이 import 말고는 아무것도 바꾸지 않고 돌아갑니다.
# %% tags=["setup"]
# %load_ext nbtorch
import math
import warnings

import numpy as np

from nbtorch import course
from nbtorch.course import method
from nbtorch_widgets import FitAndBowl

course.start("08")

from mytorch import Tensor, as_tensor, no_grad, tensor, zero_grad
# %% [markdown] lang="en"
# ## 1. A bare loop
#
# Four points on the line $y = 2x$. The model is $\hat y = w x + b$, the loss the mean of the squared differences:
#
# $$L(w, b) = \frac{1}{4} \sum_i (w x_i + b - y_i)^2.$$
#
# ### Exercise 1 · `gradient_step`  (6 minutes, important)
#
# Write the end of the loop's body, after `loss.backward()`: move `w` and `b` against their gradients by `lr` times as much, in
# place and without notes (lesson 07), then let both forget their gradients.
# %% [markdown] lang="ko" of="41762c1a"
# ## 1. 맨 반복문
#
# 직선 $y = 2x$ 위의 점 네 개입니다. 모델은 $\hat y = w x + b$이고, 손실은 차이를 제곱한 것의 평균입니다.
#
# $$L(w, b) = \frac{1}{4} \sum_i (w x_i + b - y_i)^2$$
#
# ### 연습 1 · `gradient_step`  (6분, 중요)
#
# `loss.backward()` 다음에 올 반복문의 끝부분을 쓰세요. `w`와 `b`를 그래디언트 반대쪽으로 `lr`배만큼, 기록하지 않고 제자리에서(07번 수업)
# 옮깁니다. 그런 다음 둘 다 그래디언트를 잊게 합니다.
# %%
#@save gradient_step
def gradient_step(w, b, lr):
    """Move w and b against their gradients, then forget these."""
    ### BEGIN SOLUTION
    with no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
    w.grad = None
    b.grad = None
    ### END SOLUTION
# %%
course.check("gradient_step")
# %%
x = tensor([[1.0], [2.0], [3.0], [4.0]])
y = tensor([[2.0], [4.0], [6.0], [8.0]])

def fit(lr, steps):
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    losses, path = [], []
    for step in range(steps):
        loss = ((x * w + b - y) ** 2).mean()
        losses.append(loss.item())
        path.append((w.item(), b.item()))
        loss.backward()
        gradient_step(w, b, lr)
    return losses, path
# %% [markdown] lang="en"
# > **Predict.** With the learning rate 0.01 the loss falls. What happens with 0.1, and with 0.2?
# %% [markdown] lang="ko" of="9af61217"
# > **예측.** 학습률 0.01이면 손실이 줄어듭니다. 0.1이면 어떻게 될까요? 0.2이면요?
# %%
for lr in (0.01, 0.1, 0.2):
    losses, path = fit(lr, 20)
    print(f"lr {lr}:  first {losses[0]:.0f}, then {losses[1]:.2g}, at the end {losses[-1]:.2g}")
# %% [markdown] lang="en"
# "Twice the rate, twice as fast" is the usual guess. It holds only up to an edge. The bowl of the loss is steep in one direction; with 0.1
# each step lands on its other side, a little lower, and with 0.2 on the other side and *higher*. Look at the bowl itself: on the
# left your data and the line, on the right the loss for every pair $(w, b)$, with the path of the loop that you have written.
#
# > **Use it.** Move the slider from its left end. Why does the path first run straight into a valley, and then so slowly along it?
# > Then pull the last point upwards: where does the bottom of the bowl go?
# %% [markdown] lang="ko" of="97e9cc93"
# 흔히 "두 배로 키우면 두 배로 빠르다"고 예상합니다. 어느 한계까지만 맞는 말입니다. 손실의 그릇은 한 방향으로 가파릅니다. 0.1이면 스텝마다 건너편
# 조금 낮은 곳에 닿고, 0.2이면 건너편 **더 높은** 곳에 닿습니다. 그릇을 직접 보세요. 왼쪽은 데이터와 직선, 오른쪽은 모든 $(w, b)$에 대한 손실이고,
# 그 위의 경로는 여러분이 쓴 반복문이 지나간 길입니다.
#
# > **써 보세요.** 슬라이더를 왼쪽 끝에서부터 움직여 보세요. 경로는 왜 처음에는 골짜기로 곧장 가고, 그다음에는 골짜기를 따라 그렇게 느리게 갈까요?
# > 그런 다음 마지막 점을 위로 끌어 보세요. 그릇의 바닥은 어디로 갈까요?
# %%
losses, path = fit(0.01, 100)
FitAndBowl(x, y, path)
# %% [markdown] lang="en"
# Across the valley $w$ and $b$ both make the line higher: the loss feels it at once. Along it, more $w$ is paid for by less $b$, and the
# loss hardly changes. So the slope is small there, and so is the step.
#
# ## 2. A name for what is learned
#
# The loop knows two tensors by name. A model of a hundred layers needs them found by themselves. So a tensor that is learned gets a
# type of its own, `Parameter`, and a `Module` looks for those among what it holds.
# %% [markdown] lang="ko" of="4da09fae"
# 골짜기를 가로지르면 $w$와 $b$가 함께 직선을 올립니다. 손실이 곧바로 느낍니다. 골짜기를 따라가면 $w$가 커진 만큼 $b$가 줄어 손실이 거의 변하지
# 않습니다. 그래서 그쪽은 기울기가 작고, 걸음도 작습니다.
#
# ## 2. 배우는 것에 붙이는 이름
#
# 반복문은 텐서 두 개를 이름으로 압니다. 층이 백 개인 모델이라면 저절로 찾아져야 합니다. 그래서 배우는 텐서에는 `Parameter`라는 타입을 따로 주고,
# `Module`은 자기가 가진 것 가운데서 그것을 찾습니다.
# %%
#@save nn.Parameter
class Parameter(Tensor):
    """A tensor that a module learns."""

    def __init__(self, data):
        super().__init__(as_tensor(data).data)
        self.requires_grad = True
# %%
#@save nn.Module
class Module:
    """A calculation with parameters of its own; a subclass has `forward`."""

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def parameters(self):
        for value in vars(self).values():
            if isinstance(value, Parameter):
                yield value
            elif isinstance(value, Module):
                yield from value.parameters()
# %% [markdown] lang="en"
# ## 3. `nn.Linear`
#
# One row of $x$ is one example. PyTorch keeps the weight as (out, in): each row belongs to one output. The numbers at the start are small
# and random.
# %% [markdown] lang="ko" of="bc1856d0"
# ## 3. `nn.Linear`
#
# $x$의 행 하나가 예시 하나입니다. PyTorch는 가중치를 (출력, 입력) 모양으로 둡니다. 행 하나가 출력 하나의 것입니다. 처음 값은 작은 난수입니다.
# %%
#@save nn.Linear
class Linear(Module):
    """y = x W^T + b, with W of the shape (out_features, in_features)."""

    def __init__(self, in_features, out_features):
        bound = 1 / math.sqrt(in_features)
        draw = lambda *shape: tensor(np.random.uniform(-bound, bound, shape).astype(np.float32))
        self.weight = Parameter(draw(out_features, in_features))
        self.bias = Parameter(draw(out_features))
# %% [markdown] lang="en"
# ### Exercise 2 · `Linear.forward`  (5 minutes, important)
#
# $x$ is (N, in), the weight (out, in), the bias (out,), and the result must be (N, out). Let the shapes find the formula.
# %% [markdown] lang="ko" of="52a48788"
# ### 연습 2 · `Linear.forward`  (5분, 중요)
#
# $x$는 (N, 입력), 가중치는 (출력, 입력), 편향은 (출력,)이고, 결과는 (N, 출력)이어야 합니다. 모양을 보고 식을 찾으세요.
# %%
#@save nn.Linear.forward
@method(Linear)
def forward(self, x):
    ### BEGIN SOLUTION
    return x @ self.weight.T + self.bias
    ### END SOLUTION
# %%
course.check("Linear.forward")
# %% [markdown] lang="en"
# ## 4. `nn.MSELoss`
#
# ### Exercise 3 · `MSELoss.forward`  (4 minutes)
#
# The mean of the squared differences, as a tensor: it must be possible to go back through it.
# %% [markdown] lang="ko" of="e12a5626"
# ## 4. `nn.MSELoss`
#
# ### 연습 3 · `MSELoss.forward`  (4분)
#
# 차이를 제곱한 것의 평균을 텐서로 돌려주세요. 거슬러 갈 수 있어야 합니다.
# %%
#@save nn.MSELoss
class MSELoss(Module):
    """The mean of the squared differences."""
# %%
#@save nn.MSELoss.forward
@method(MSELoss)
def forward(self, input, target):
    ### BEGIN SOLUTION
    return ((input - target) ** 2).mean()
    ### END SOLUTION
# %%
course.check("MSELoss.forward")
# %% [markdown] lang="en"
# ## 5. `optim.SGD`
#
# ### Exercise 4 · `SGD.step`  (6 minutes, important)
#
# Exercise 1 for any number of parameters. One that has no gradient (`None`: it took no part in the loss) stays as it is. Forgetting is
# `zero_grad`'s business, not that of `step`.
# %% [markdown] lang="ko" of="f8492b85"
# ## 5. `optim.SGD`
#
# ### 연습 4 · `SGD.step`  (6분, 중요)
#
# 연습 1을 파라미터 몇 개에든 되게 하세요. 그래디언트가 없는 파라미터(`None`, 곧 손실에 쓰이지 않은 것)는 그대로 둡니다. 잊는 것은 `step`이 아니라
# `zero_grad`의 일입니다.
# %%
#@save optim.SGD
class SGD:
    """Stochastic gradient descent: every parameter goes against its gradient, by lr times as much."""

    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def zero_grad(self):
        zero_grad(self.params)
# %%
#@save optim.SGD.step
@method(SGD)
def step(self):
    ### BEGIN SOLUTION
    with no_grad():
        for parameter in self.params:
            if parameter.grad is not None:
                parameter -= self.lr * parameter.grad
    ### END SOLUTION
# %%
course.check("SGD.step")
# %% [markdown] lang="en"
# ## 6. ★ The article's program
#
# `course.assemble()` puts this lesson's cells into your folder `mytorch`. Then comes the program, with its three imports changed and
# nothing below them.
# %% [markdown] lang="ko" of="d6a158c3"
# ## 6. ★ 글의 프로그램
#
# `course.assemble()`은 이 수업의 셀을 여러분의 폴더 `mytorch`에 넣습니다. 그다음이 프로그램입니다. import 세 줄만 바꾸고 그 아래는 그대로입니다.
# %%
course.assemble()
np.random.seed(0)
# %%
import mytorch as torch
import mytorch.nn as nn
import mytorch.optim as optim

x_train = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
y_train = torch.tensor([[2.0], [4.0], [6.0], [8.0]])

model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = optim.SGD(model.parameters(), lr=0.01)

for epoch in range(100):
    optimizer.zero_grad()

    outputs = model(x_train)
    loss = criterion(outputs, y_train)

    loss.backward()
    optimizer.step()

    print(f'Epoch {epoch + 1}/{100}, Loss: {loss.item():.4f}')
# %% [markdown] lang="en"
# It runs, on the library of your folder, down to the slope of a product.
#
# ## 7. What PyTorch does here
#
# The same program on nbtorch, which prints what PyTorch prints, from an equal start. All 100 printed losses, side by side:
# %% [markdown] lang="ko" of="abc6dcef"
# 돌아갑니다. 곱의 기울기 하나까지 여러분 폴더의 라이브러리가 계산합니다.
#
# ## 7. PyTorch에서는
#
# 같은 프로그램을 같은 시작값에서 nbtorch로 돌립니다. nbtorch는 PyTorch와 같은 값을 출력합니다. 출력된 손실 100개를 나란히 견줍니다.
# %%
import nbtorch

def begin(torch, lr=0.01):
    """A model that begins at w = 0.5, b = -0.25, whatever the library, and its optimizer."""
    model = torch.nn.Linear(1, 1)
    model.weight.data[...], model.bias.data[...] = 0.5, -0.25
    return model, torch.optim.SGD(model.parameters(), lr=lr)
# %%
def train(torch, model, optimizer, epochs=100, forget=True, targets=y_train.data):
    inputs, targets = torch.tensor(x_train.data.tolist()), torch.tensor(targets.tolist())
    losses = []
    for epoch in range(epochs):
        if forget:
            optimizer.zero_grad()
        loss = torch.nn.MSELoss()(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(f"{loss.item():.4f}")
    return losses
# %%
mine, theirs = train(torch, *begin(torch)), train(nbtorch, *begin(nbtorch))
print(mine[:3], mine[-1])
print("equal lines:", sum(a == b for a, b in zip(mine, theirs)), "of", len(mine))
# %% [markdown] lang="en"
# And does it find the line? With more steps $w$ goes to 2 and $b$ to 0. For this loss there is also a formula that needs no steps at all
# (least squares); it must agree.
# %% [markdown] lang="ko" of="dbfcaa33"
# 직선도 찾을까요? 스텝을 늘리면 $w$는 2로, $b$는 0으로 갑니다. 이 손실에는 스텝 없이 바로 답을 주는 공식(최소제곱)도 있으니, 둘이 같아야
# 합니다.
# %%
rows = np.hstack([x_train.data, np.ones((4, 1))])
(w, b), *_ = np.linalg.lstsq(rows, y_train.data[:, 0], rcond=None)
print("formula:", round(w, 3), round(abs(b), 3))
model, optimizer = begin(torch, lr=0.1)
train(torch, model, optimizer, epochs=1000)
print("steps:  ", round(model.weight.item(), 3), round(abs(model.bias.item()), 3))
# %% [markdown] lang="en"
# ## 8. Break it
#
# Two bugs that raise no error. First, no `zero_grad`: lesson 07's stale gradients. Second, targets of the shape (4,) instead of (4, 1).
#
# > **Predict.** The outputs are (4, 1), the targets (4,). How many differences does the loss average, and which line is learned?
# %% [markdown] lang="ko" of="0ded9fcf"
# ## 8. 망가뜨리기
#
# 오류가 나지 않는 버그 두 가지입니다. 첫째, `zero_grad`가 없습니다. 07번 수업의 묵은 그래디언트입니다. 둘째, 목표의 모양이 (4, 1)이 아니라
# (4,)입니다.
#
# > **예측.** 출력은 (4, 1), 목표는 (4,)입니다. 손실은 차이 몇 개의 평균일까요? 어떤 직선을 배울까요?
# %%
print("no zero_grad:", train(torch, *begin(torch), epochs=30, forget=False)[::5])
model, optimizer = begin(torch, lr=0.1)
flat = y_train.data[:, 0]
print("differences:", (model(x_train) - torch.tensor(flat.tolist())).shape)
train(torch, model, optimizer, epochs=1000, targets=flat)
print("w and b:", round(abs(model.weight.item()), 3), round(model.bias.item(), 3))
# %% [markdown] lang="en"
# Without `zero_grad` the loss falls, climbs to where it began and falls again. And the second bug averages sixteen differences: each output is compared with *every* target. The best that can be said to all of them at once is their mean, 5, so the line is
# flat: $w = 0$, $b = 5$. The loss falls nicely all the while. PyTorch warns of it, and so does nbtorch:
# %% [markdown] lang="ko" of="c862b9df"
# `zero_grad`가 없으면 손실은 줄었다가 처음만큼 다시 커지고 또 줄어듭니다. 둘째 버그에서는 차이 16개를 평균합니다. 출력 하나하나를 **모든** 목표와 견줍니다. 모두에게 한꺼번에 할 수 있는 가장 나은 답은 평균 5이므로 평평한 직선 $w = 0$, $b = 5$가
# 됩니다. 그동안 손실은 보기 좋게 줄어듭니다. PyTorch는 이를 경고하고, nbtorch도 그렇습니다.
# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    train(nbtorch, *begin(nbtorch), epochs=1, targets=flat)
print("warnings:", [warning.category.__name__ for warning in caught])
# %% [markdown] lang="en"
# ## What you have made
#
# The modules of your folder `mytorch`, with the number of cells in each. Each cell in these files says whether it is yours, given, or the reference:
# %% [markdown] lang="ko" of="27fd1c38"
# ## 여러분이 만든 것
#
# 여러분의 폴더 `mytorch`에 있는 모듈과 저마다의 셀 수입니다. 파일을 열면 셀마다 여러분의 것인지, 수업이 준 것인지, 참고 답안인지 적혀 있습니다.
# %%
from pathlib import Path

for path in sorted(Path(torch.__file__).parent.glob("*.py")):
    if path.stem != "__init__":
        print(f"{path.stem:10}", path.read_text(encoding="utf-8").count("\n# %% "), "cells")
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. Training is four lines: forward, loss, `backward`, step; and before it, forget.
# 2. A `Parameter` is a tensor that is learned; a `Module` finds those it holds.
# 3. `Linear` is $x W^\top + b$, with $W$ of the shape (out, in).
# 4. Beyond a certain learning rate each step climbs: too much is worse than too little.
# 5. A falling loss proves nothing by itself: look at the shapes.
#
# **What comes next.** Part II puts curves between the layers, and the same loop learns what no line can.
# %% [markdown] lang="ko" of="f3f2504f"
# ## 기억할 것
#
# 1. 학습은 네 줄입니다. 순전파, 손실, `backward`, 스텝. 그리고 그 앞에서 잊습니다.
# 2. `Parameter`는 배우는 텐서이고, `Module`은 자기가 가진 것을 찾습니다.
# 3. `Linear`는 $x W^\top + b$이고, $W$의 모양은 (출력, 입력)입니다.
# 4. 학습률이 어느 한계를 넘으면 스텝마다 올라갑니다. 지나침은 모자람만 못합니다.
# 5. 손실이 줄어든다는 것만으로는 아무것도 증명되지 않습니다. 모양을 보세요.
#
# **다음에는.** 2부에서는 층 사이에 곡선을 넣습니다. 같은 반복문이 직선으로는 못 배우는 것을 배웁니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Run the article's program on one's own library and account for each of its lines.
# - Recognize three classic failures: a missing `zero_grad`, a learning rate over the edge, targets of the wrong shape.
#
# ## Three common errors
#
# 1. A step along the gradient instead of against it.
# 2. The weight not transposed, which a 1 × 1 layer hides.
# 3. `w = w - …` for `w -= …`: the optimizer's own parameter never moves.
#
# ## A question to discuss
#
# The loss of a straight line can be solved for in one stroke (least squares). Why do we walk?
#
# ## What to skip
#
# The comparison with least squares, and the learning rates, can be set as homework.
# %% [markdown] lang="ko" of="70a14f8c" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 글의 프로그램을 자기 라이브러리로 실행하고 한 줄 한 줄을 설명한다.
# - 고전적인 실패 셋을 알아본다. 빠뜨린 `zero_grad`, 너무 큰 학습률, 모양이 다른 정답.
#
# ## 흔한 오류 셋
#
# 1. 그래디언트의 반대쪽이 아니라 그쪽으로 간다.
# 2. 가중치를 전치하지 않는다. 1 × 1 층에서는 드러나지 않는다.
# 3. `w -= …`를 `w = w - …`로 쓴다. 옵티마이저가 가진 파라미터는 움직이지 않는다.
#
# ## 토론할 질문
#
# 직선의 손실은 최소제곱법으로 단번에 풀 수 있다. 그런데 왜 걸어가는가?
#
# ## 건너뛸 것
#
# 최소제곱법과의 비교, 학습률 실험은 숙제로 내도 좋다.
