# %% [markdown] lang="en"
# # 00 · Start here
#
# *About 12 minutes. You need a little Python and school mathematics; nothing to download.*
#
# **How can a program get better at something nobody told it how to do?**
#
# In the next twelve minutes you will watch a program find a rule by itself, open it up to see how, take one of its steps by
# hand, and then train a network that reads handwriting while its gradients move in front of you.
#
# Run each cell with <kbd>Shift</kbd> + <kbd>Enter</kbd>. Where it says **Predict**, decide first and run afterwards:
# a wrong guess is worth more here than a right one.
# %% [markdown] lang="ko" of="ac231272"
# # 00 · 여기서 시작하세요
#
# 약 12분. 파이썬 기초와 고등학교 수학이면 충분합니다. 내려받을 것은 없습니다.
#
# **아무도 방법을 알려 주지 않은 일을, 프로그램은 어떻게 점점 더 잘하게 될까요?**
#
# 앞으로 12분 동안 프로그램이 스스로 규칙을 찾아내는 모습을 지켜보고, 그 속을 열어 원리를 확인하고, 그 가운데 한 걸음을 손으로
# 직접 계산해 봅니다. 마지막에는 손글씨를 읽는 신경망을 학습시키면서 그래디언트가 눈앞에서 움직이는 것을 봅니다.
#
# 각 셀은 <kbd>Shift</kbd> + <kbd>Enter</kbd>로 실행합니다. **예측**이라고 적힌 곳에서는 먼저 답을 정한 다음 실행하세요.
# 여기서는 맞힌 예측보다 빗나간 예측에서 더 많이 배웁니다.
# %% tags=["setup"]
# %load_ext nbtorch
import time

import matplotlib.pyplot as plt
import nbtorch as torch
import nbtorch.nn as nn
import nbtorch.optim as optim
from nbtorch import course
from nbtorch.datasets import digits
from nbtorch.utils.data import DataLoader, TensorDataset
from nbtorch_widgets import watch

course.start("00")
# %% [markdown] lang="en"
# The names are PyTorch's, on purpose: nbtorch is a PyTorch small enough to look into. Write `torch` for `nbtorch` in the
# three lines that import `torch`, `nn` and `optim`, and every model of today runs in PyTorch as it stands.
#
# ## 1. A program that learns  (2 minutes)
#
# Four questions with their answers: 1 → 2, 2 → 4, 3 → 6, 4 → 8. You see the rule at once. The program below doesn't. It is
# told only what *kind* of rule to look for, a straight line $y = w\,x + b$, and it begins with a random $w$ and $b$.
# %% [markdown] lang="ko" of="6be1cfc4"
# 이름은 일부러 PyTorch와 똑같이 지었습니다. nbtorch는 속을 들여다볼 수 있을 만큼 작은 PyTorch입니다. `torch`, `nn`, `optim`을
# 가져오는 세 줄에서 `nbtorch`를 `torch`로 바꾸면, 오늘 만드는 모델은 모두 PyTorch에서도 그대로 돌아갑니다.
#
# ## 1. 배우는 프로그램  (2분)
#
# 문제와 정답이 네 쌍 있습니다. 1 → 2, 2 → 4, 3 → 6, 4 → 8. 여러분은 규칙을 바로 알아보지만, 아래 프로그램은 모릅니다.
# 프로그램이 아는 것은 찾아야 할 규칙의 **형태**, 즉 직선 $y = w\,x + b$라는 것뿐입니다. $w$와 $b$는 무작위 값에서 시작합니다.
# %%
torch.manual_seed(2)

x_train = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
y_train = torch.tensor([[2.0], [4.0], [6.0], [8.0]])

model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = optim.SGD(model.parameters(), lr=0.01)

print(f"start: y = {model.weight.item():.2f} x {model.bias.item():+.2f}")
# %% [markdown] lang="en"
# The loop below goes over the four pairs a hundred times. Each round asks: *how wrong am I?* (`loss`), *which way would be
# less wrong?* (`backward`), and takes a small step that way (`step`).
#
# > **Predict.** After 100 rounds, will $w$ be exactly 2, close to 2, or far from it? And will the loss fall evenly, or fast
# > at first and slowly later?
# %% [markdown] lang="ko" of="6d1507e9"
# 아래 반복문은 네 쌍의 데이터를 백 번 훑습니다. 매번 **지금 얼마나 틀렸는가?**(`loss`), **어느 쪽으로 가면 덜 틀리는가?**(`backward`)를
# 묻고, 그쪽으로 조금 움직입니다(`step`).
#
# > **예측.** 100번 반복한 뒤 $w$는 정확히 2일까요, 2에 가까울까요, 아니면 한참 멀까요? 손실은 고르게 줄어들까요, 처음에 빠르게
# > 줄다가 점점 느려질까요?
# %%
for epoch in range(100):
    optimizer.zero_grad()

    outputs = model(x_train)
    loss = criterion(outputs, y_train)

    loss.backward()
    optimizer.step()

    if epoch < 3 or (epoch + 1) % 20 == 0:
        print(f"Epoch {epoch + 1}/{100}, Loss: {loss.item():.4f}")
# %%
print(f"found: y = {model.weight.item():.2f} x {model.bias.item():+.2f}")
print(f"asked for x = 10, it answers {model(torch.tensor([[10.0]])).item():.1f}")
# %% [markdown] lang="en"
# <details><summary><b>What happened</b> (open it when you have compared your guess)</summary>
#
# Close to 2, not exactly 2. Nobody wrote the 2 anywhere; it came out of the four pairs. The loss fell steeply and then
# crawled: what is left of the error lies where $w$ and $b$ nearly make up for each other, and there the ground is almost
# flat. More rounds would bring it closer. Exactness is not what learning gives; *less wrong with each step* is.
# </details>
#
# ## 2. What `loss.backward()` knew  (2 minutes)
#
# How could the program know which way is less wrong? While the numbers went forwards through the model, every operation
# left a note: what it did, and to what. The notes hold on to each other and form a **graph**. Draw it:
#
# > **Predict.** How many numbers in that program can *change* by learning? They are the places where the drawing begins.
# %% [markdown] lang="ko" of="3ee24275"
# <details><summary><b>무슨 일이 있었을까요?</b> (예측과 비교한 뒤에 열어 보세요)</summary>
#
# 정확히 2는 아니지만 2에 가깝습니다. 2라는 숫자는 코드 어디에도 적은 적이 없고, 네 쌍의 데이터에서 나왔습니다. 손실은 가파르게 줄다가
# 나중에는 기어가듯 줄었습니다. 남은 오차는 $w$와 $b$가 서로의 잘못을 거의 메워 주는 곳에 있는데, 그곳은 바닥이 거의 평평하기
# 때문입니다. 더 반복하면 더 가까워집니다. 학습이 주는 것은 정확한 답이 아니라 **한 걸음마다 조금 덜 틀리는 것**입니다.
# </details>
#
# ## 2. `loss.backward()`는 무엇을 알고 있었나  (2분)
#
# 어느 쪽이 덜 틀리는 방향인지 프로그램은 어떻게 알았을까요? 숫자가 모델을 지나 앞으로 나아가는 동안, 연산 하나하나가 무엇을
# 계산했는지 기록을 남겼습니다. 기록들은 서로 이어져 **그래프**를 이룹니다. 그려 봅시다.
#
# > **예측.** 이 프로그램에서 학습으로 **바뀔 수 있는** 수는 몇 개일까요? 그림은 바로 그 수들에서 시작합니다.
# %%
loss = criterion(model(x_train), y_train)
torch.graph(loss)
# %% [markdown] lang="en"
# <details><summary><b>How to read it</b></summary>
#
# Two numbers can change, `weight` and `bias`, and there the drawing begins. `x_train` and `y_train` take part in the
# calculation too (the dotted circles), but nobody wants to change the data, so no gradient is kept for them. Each box
# knows one small thing: how its output moves when its input moves. `backward()` starts at the loss, walks against the arrows, multiplies these
# small slopes, and leaves the product at each leaf. The graph was not declared beforehand: it is made anew each time the
# code runs, so an `if` or a `for` simply gives another graph.
# </details>
#
# ## 3. One step by hand  (2 minutes)
#
# To see that there is no magic in it, take a model with a single number, $y = w\,x$, and begin with $w = 1$.
#
# $$\text{loss}(w) = \tfrac{1}{4}\sum_{i} (w\,x_i - y_i)^2$$
#
# > **Predict.** $w$ is 1 and should become 2. Is the gradient, the slope of the loss at $w = 1$, positive or negative?
# %% [markdown] lang="ko" of="4804ddc0"
# <details><summary><b>그림 읽는 법</b></summary>
#
# 바뀔 수 있는 수는 `weight`와 `bias` 둘이고, 그림은 거기서 시작합니다. `x_train`과 `y_train`도 계산에 들어가지만(점선 원) 데이터를
# 바꾸려는 것은 아니므로 그래디언트를 남기지 않습니다. 상자마다 아는 것은 작은 사실 하나, 입력이 움직이면 출력이 얼마나 움직이는가입니다.
# `backward()`는 손실에서 출발해 화살표를 거슬러 올라가며 이 작은 기울기들을 곱하고, 그 곱을 맨 끝의 잎에 남깁니다. 그래프는 미리
# 선언해 둔 것이 아닙니다. 코드가 실행될 때마다 새로 만들어지므로, `if`나 `for`를 쓰면 그에 맞는 다른 그래프가 생길 뿐입니다.
# </details>
#
# ## 3. 손으로 한 걸음  (2분)
#
# 마법이 없다는 것을 확인하기 위해, 가중치가 하나뿐인 모델 $y = w\,x$를 $w = 1$에서 시작해 봅시다.
#
# $$\text{loss}(w) = \tfrac{1}{4}\sum_{i} (w\,x_i - y_i)^2$$
#
# > **예측.** $w$는 1이고 2가 되어야 합니다. 그래디언트, 곧 $w = 1$에서 손실의 기울기는 양수일까요, 음수일까요?
# %%
def how_wrong(w):
    return ((w * x_train - y_train) ** 2).mean()

w = torch.tensor(1.0, requires_grad=True)
loss = how_wrong(w)
loss.backward()

print(f"loss = {loss.item():.2f}, gradient = {w.grad.item():.2f}")
# %% [markdown] lang="en"
# Negative: if $w$ grows a little, the loss *falls*. The usual wrong guess is "positive, because $w$ must grow". The
# gradient always points **uphill**, and we want to go down.
#
# Should you believe the −15? Check it without any graph: nudge $w$ a little to both sides and see how the loss answers.
# %% [markdown] lang="ko" of="1a29fb82"
# 음수입니다. $w$가 조금 커지면 손실은 **줄어듭니다**. "$w$가 커져야 하니까 양수"라고 답하기 쉽지만, 그래디언트는 언제나 **오르막** 쪽을
# 가리키고 우리는 내려가려고 합니다.
#
# −15라는 값을 믿어도 될까요? 그래프 없이 확인해 봅시다. $w$를 양쪽으로 살짝 움직여 보고 손실이 어떻게 변하는지 봅니다.
# %%
h = 0.01
with torch.no_grad():
    slope = (how_wrong(w + h) - how_wrong(w - h)) / (2 * h)

print(f"by nudging:  {slope.item():.2f}")
print(f"by backward: {w.grad.item():.2f}")
assert abs(slope.item() - w.grad.item()) < 0.01
# %% [markdown] lang="en"
# The same. Then why build a graph? Nudging computes the loss twice *for every number in the model*; a model with a million
# numbers would need two million runs per step. `backward()` gets all the slopes in one walk.
#
# Now the step itself, the only line in `optimizer.step()` that matters: go against the slope, by a small amount.
# %% [markdown] lang="ko" of="ebdc9571"
# 같습니다. 그렇다면 그래프는 왜 필요할까요? 살짝 움직여 보는 방법은 **모델에 있는 수 하나마다** 손실을 두 번씩 계산합니다. 수가 백만 개인
# 모델이라면 한 걸음에 이백만 번을 계산해야 합니다. `backward()`는 단 한 번 거슬러 올라가며 모든 기울기를 얻습니다.
#
# 이제 걸음을 내디딜 차례입니다. `optimizer.step()`의 핵심은 이 한 줄, 기울기의 반대쪽으로 조금 움직이는 것입니다.
# %%
lr = 0.01
with torch.no_grad():
    w_next = w - lr * w.grad

print(f"w:    {w.item():.2f} -> {w_next.item():.2f}")
print(f"loss: {how_wrong(w).item():.2f} -> {how_wrong(w_next).item():.2f}")
# %%
places = torch.linspace(-0.2, 4.2, 100)
valley = [how_wrong(place).item() for place in places]
tangent = loss.item() + w.grad.item() * (places - w.item())

fig, ax = plt.subplots(figsize=(6.4, 3.2))
ax.plot(places.tolist(), valley, color="#0072B2", label="loss(w)")
ax.plot(places.tolist(), tangent.tolist(), "--", color="#D55E00", label="slope at w = 1")
ax.plot(w.item(), loss.item(), "o", color="#D55E00", markersize=9)
ax.plot(w_next.item(), how_wrong(w_next).item(), "o", color="#009E73", markersize=9, label="after one step")
ax.set(xlabel="w", ylabel="loss", ylim=(-2, 36))
ax.legend(frameon=False)
plt.show()
# %% [markdown] lang="en"
# That is all of training: **a valley, a slope, a small step down, again.** What follows differs only in the number of
# dimensions.
#
# ## 4. A network that reads  (3 minutes)
#
# Here are the first ten of 1,442 handwritten digits, 8 × 8 pixels each. What rule turns 64 brightnesses into a digit? This
# time you couldn't write it down either.
# %% [markdown] lang="ko" of="ff048f9f"
# 학습은 이것이 전부입니다. **골짜기, 기울기, 작은 한 걸음, 그리고 반복.** 이제부터는 차원의 수만 달라집니다.
#
# ## 4. 글씨를 읽는 신경망  (3분)
#
# 손으로 쓴 숫자 1,442개 가운데 처음 열 개입니다. 하나의 크기는 8 × 8 픽셀입니다. 밝기 64개를 숫자 하나로 바꾸는 규칙은 무엇일까요?
# 이번에는 여러분도 규칙을 적을 수 없을 것입니다.
# %%
train_images, train_labels = digits("train")

fig, axes = plt.subplots(1, 10, figsize=(8, 1.2))
for ax, image, label in zip(axes, train_images, train_labels):
    ax.imshow(image.reshape(8, 8), cmap="gray_r")
    ax.set_title(label.item())
    ax.axis("off")
plt.show()
# %% [markdown] lang="en"
# The network has two layers of the same $w\,x + b$, with many $w$'s at once, and a bend (`ReLU`) between them, for without a
# bend two straight rules make just another straight rule. Out come ten scores, one for each digit.
# %% [markdown] lang="ko" of="5628b508"
# 신경망은 앞에서 본 $w\,x + b$를 두 층으로 쌓은 것입니다. 다만 $w$가 한꺼번에 많이 있고, 두 층 사이에는 꺾임(`ReLU`)이 있습니다.
# 꺾임이 없으면 직선 두 개를 이어도 다시 직선 하나가 되기 때문입니다. 출력은 숫자마다 하나씩, 모두 열 개의 점수입니다.
# %%
torch.manual_seed(2)

model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.3)
loader = DataLoader(TensorDataset(train_images, train_labels), batch_size=64, shuffle=True)

model
# %% [markdown] lang="en"
# Below is the loop of part 1 again, line for line, inside `watch(...)`. While it runs you see the loss, and under it the
# gradients: one row for each group of parameters, time running to the right. The scale below tells which colour is large.
#
# > **Predict.** At the start every answer is a blind guess. Are the gradients of the two `weight` rows largest at the
# > very beginning, somewhat later, or at the end?
#
# While it runs, try the buttons at its upper left: **Pause**, take a single **Step**, **Resume**. (`time.sleep` is only
# there to give you time; delete it and the training is over in the blink of an eye.)
# %% [markdown] lang="ko" of="34f66576"
# 아래는 1장의 반복문 그대로입니다. `watch(...)` 안에 넣었을 뿐입니다. 실행하면 손실이 보이고, 그 아래에 그래디언트가 파라미터
# 묶음마다 한 줄씩, 시간은 왼쪽에서 오른쪽으로 흐르는 색으로 그려집니다. 어떤 색이 큰 값인지는 맨 아래 눈금에 나와 있습니다.
#
# > **예측.** 처음에는 모든 답이 어림짐작입니다. `weight`라고 적힌 두 줄의 그래디언트는 맨 처음, 조금 지난 뒤, 끝 가운데 언제 가장
# > 클까요?
#
# 실행되는 동안 왼쪽 위의 버튼을 눌러 보세요. **Pause**로 멈추고, **Step**으로 한 걸음만 가 보고, **Resume**으로 다시 달립니다.
# (`time.sleep`은 지켜볼 시간을 주려고 넣은 것입니다. 지우면 학습은 눈 깜짝할 사이에 끝납니다.)
# %% tags=["nbval-ignore-output"] why="the last digits of float32 differ between processors, and so do shades of the picture"
for batch_images, batch_labels in watch(model, optimizer, loader, epochs=20):
    optimizer.zero_grad()

    scores = model(batch_images)
    loss = criterion(scores, batch_labels)

    loss.backward()
    optimizer.step()

    time.sleep(0.01)
# %% [markdown] lang="en"
# <details><summary><b>What you saw</b></summary>
#
# Somewhat later. "At the very beginning, when it is most wrong" is the natural guess, but what flows back to a weight is
# multiplied by the numbers it passes on its way, and at first those are small. After some twenty steps the layers begin to
# pull together, the gradients swell, and the loss falls fastest. Then less and less is left to gain. The rows never go
# quiet, though: each step sees only 64 digits, and now and then a batch holds one that the network still gets wrong.
# </details>
# %% [markdown] lang="ko" of="b3a7c9bb"
# <details><summary><b>무엇이 보였나요?</b></summary>
#
# 조금 지난 뒤입니다. "가장 많이 틀리는 맨 처음"이라고 답하기 쉽지만, 가중치까지 거슬러 오는 값에는 도중에 지나온 수들이 곱해지고,
# 처음에는 그 수들이 작습니다. 스무 걸음쯤 지나면 층들이 힘을 모으기 시작해 그래디언트가 커지고 손실이 가장 빠르게 줄어듭니다.
# 그다음에는 더 나아질 여지가 점점 줄어듭니다. 그렇다고 완전히 잠잠해지지는 않습니다. 한 걸음에 숫자 64개만 보기 때문에, 아직 틀리는
# 숫자가 섞인 배치가 가끔 끼어들어서입니다.
# </details>
# %% [markdown] lang="en"
# Now the examination, on 355 digits it has never seen:
# %% [markdown] lang="ko" of="70faa773"
# 이제 한 번도 본 적 없는 숫자 355개로 시험을 치릅니다.
# %%
test_images, test_labels = digits("test")
with torch.no_grad():
    scores = model(test_images)

predictions = scores.argmax(dim=1)
accuracy = (predictions == test_labels).float().mean().item()

print(f"{accuracy:.0%} of the test digits are right")
assert accuracy > 0.95
# %%
right = (predictions == test_labels).nonzero().flatten().tolist()
wrong = (predictions != test_labels).nonzero().flatten().tolist()

fig, axes = plt.subplots(1, 10, figsize=(8, 1.4))
for ax, index in zip(axes, right[:6] + wrong[:4]):
    said, truth = predictions[index].item(), test_labels[index].item()
    ax.imshow(test_images[index].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"says {said}", color="black" if said == truth else "#D55E00", fontsize=10)
    ax.text(3.5, 9.6, "" if said == truth else f"is {truth}", ha="center", fontsize=9)
    ax.axis("off")
plt.show()
# %% [markdown] lang="en"
# Six that it got right, and four that it got wrong (in orange). Would you have got them all right?
#
# ## 5. Break it  (1 minute)
#
# Why the *small* step? Back to the valley of part 3, where $w$ starts at 1 and the bottom is at 2, now with a learning rate
# twenty times as large.
#
# > **Predict.** With `lr = 0.2`: does it arrive twenty times sooner, swing to and fro, or something worse?
# %% [markdown] lang="ko" of="3eec54ba"
# 맞힌 것 여섯 개와 틀린 것 네 개(주황색)입니다. 여러분이라면 모두 맞혔을까요?
#
# ## 5. 망가뜨리기  (1분)
#
# 왜 하필 **작은** 걸음일까요? 3장의 골짜기로 돌아갑니다. $w$는 1에서 출발하고 바닥은 2에 있습니다. 이번에는 학습률을 스무 배로 키웁니다.
#
# > **예측.** `lr = 0.2`이면 스무 배 빨리 도착할까요, 왔다 갔다 할까요, 아니면 더 나쁜 일이 생길까요?
# %%
def descend(lr):
    w = torch.tensor(1.0, requires_grad=True)
    for step in range(5):
        w.grad = None
        loss = how_wrong(w)
        loss.backward()
        print(f"w = {w.item():6.1f}   loss = {loss.item():7.1f}   gradient = {w.grad.item():7.1f}")
        with torch.no_grad():
            w -= lr * w.grad

descend(lr=0.2)
# %% [markdown] lang="en"
# Worse: each step leaps over the bottom and lands higher up on the other side, where the slope is steeper still, so the
# next leap is longer. The loss *grows* fourfold each time. When a loss of yours climbs or turns into `nan`, look at the
# learning rate first.
#
# > **Try it.** There is one learning rate that reaches the very bottom in a *single* step. Change `0.2` above until you
# > have found it.
#
# <details><summary><b>Hint, then answer</b></summary>
#
# From $w = 1$ the step must be exactly 1 long, and the gradient there is −15. So `lr = 1/15`. With half of that you come near
# quickly; with twice that, 2/15, you jump to and fro between 1 and 3 for ever; beyond, it blows up. A valley with many
# dimensions has steep and flat directions at once, and no single learning rate suits them all: that is why there are
# optimizers other than plain SGD.
# </details>
#
# ## 6. How the exercises work  (2 minutes)
#
# From lesson 01 on **you** write the key pieces. An exercise is a cell with `#@save` and a name at its head and a line
# `raise NotImplementedError` where your code goes. The cell below it checks the answer, and says one of three things:
#
# * **○** not written yet; the lesson goes on with the reference in its place, so you can always run on;
# * **✗** with what was expected, what came, and the likely cause;
# * **✓** right, and saved: your code becomes part of your own library, the folder `mytorch` beside the lessons.
#
# Stuck? `course.hint("answer")` says a little more each time you call it; `course.solution("answer")` shows a way, and
# `course.reset("answer")` begins anew.
#
# ### Exercise · `answer`  (1 minute)
#
# Let the function return 42.
# %% [markdown] lang="ko" of="40524a5d"
# 더 나빠집니다. 한 걸음마다 바닥을 뛰어넘어 반대편의 더 높은 곳에 떨어지는데, 그곳은 기울기가 더 가팔라서 다음 걸음은 더 커집니다.
# 손실은 매번 네 배로 **커집니다**. 손실이 점점 커지거나 `nan`이 나오면 가장 먼저 학습률을 의심하세요.
#
# > **해 보기.** **단 한 걸음**으로 바닥에 정확히 닿는 학습률이 하나 있습니다. 위의 `0.2`를 바꿔 가며 찾아보세요.
#
# <details><summary><b>힌트와 답</b></summary>
#
# $w = 1$에서 걸음의 길이는 정확히 1이어야 하고, 그곳의 그래디언트는 −15입니다. 그러므로 `lr = 1/15`입니다. 그 절반이면 빠르게 다가가고,
# 두 배인 2/15이면 1과 3 사이를 끝없이 오가며, 그보다 크면 발산합니다. 차원이 많은 골짜기에는 가파른 방향과 평평한 방향이 함께 있어서
# 모두에 맞는 학습률 하나란 없습니다. 단순한 SGD 말고도 여러 옵티마이저가 있는 까닭입니다.
# </details>
#
# ## 6. 연습 문제를 푸는 방법  (2분)
#
# 01번 수업부터는 핵심이 되는 부분을 **여러분이** 씁니다. 연습 문제는 맨 위에 `#@save`와 이름이 있고, 코드를 쓸 자리에
# `raise NotImplementedError`가 있는 셀입니다. 그 아래 셀이 답을 검사해서 셋 가운데 하나를 말합니다.
#
# * **○** 아직 쓰지 않았습니다. 참고 답안이 대신하므로 수업은 언제나 계속할 수 있습니다.
# * **✗** 기대한 것, 나온 것, 짐작되는 원인을 알려 줍니다.
# * **✓** 맞았고 저장되었습니다. 여러분의 코드는 수업 노트북 옆의 `mytorch` 폴더, 곧 여러분만의 라이브러리에 들어갑니다.
#
# 막히면 `course.hint("answer")`를 부르세요. 부를 때마다 조금씩 더 알려 줍니다. `course.solution("answer")`는 한 가지 풀이를 보여 주고,
# `course.reset("answer")`는 처음으로 되돌립니다.
#
# ### 연습 · `answer`  (1분)
#
# 함수가 42를 돌려주게 하세요.
# %%
#@save answer
def answer():
    """The answer, as you will find it in many a test: 42."""
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION
# %%
course.check("answer")
# %% [markdown] lang="en"
# And this is your map. It is there in every lesson, and `nbtorch course status` prints it in a terminal.
# %% [markdown] lang="ko" of="8e7eb055"
# 그리고 이것이 여러분의 지도입니다. 어느 수업에서나 볼 수 있고, 터미널에서는 `nbtorch course status`로 볼 수 있습니다.
# %%
course.progress()
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. A model is a calculation with numbers that may change; the **loss** says how wrong they are.
# 2. Running the calculation leaves a **graph** behind.
# 3. `backward()` walks it in reverse and gives every number its slope, the **gradient**.
# 4. The optimizer steps **against** the gradient: small enough not to leap, large enough to arrive.
# 5. From one weight to 2,410 (the digit reader) to billions, the principle stays the same.
#
# **What comes next.** You have used four things: tensors, the graph, `backward` and an optimizer. The lessons after this one
# let you build each of them yourself, from a plain array up to the program of part 1 running on your own code.
# `nbtorch lab` brings new lessons and never touches a notebook you have changed.
# %% [markdown] lang="ko" of="e75ae703"
# ## 기억할 것
#
# 1. 모델은 바뀔 수 있는 수로 하는 계산이고, **손실**은 그 수들이 얼마나 틀렸는지를 말해 줍니다.
# 2. 계산을 실행하면 **그래프**가 남습니다.
# 3. `backward()`는 그래프를 거슬러 올라가며 모든 수에 기울기, 곧 **그래디언트**를 구해 줍니다.
# 4. 옵티마이저는 그래디언트의 **반대쪽**으로 움직입니다. 뛰어넘지 않을 만큼 작게, 도착할 만큼은 크게.
# 5. 가중치가 하나이든, 2,410개(숫자를 읽는 신경망)이든, 수십억 개이든 원리는 같습니다.
#
# **다음에는.** 오늘 쓴 것은 네 가지, 텐서와 그래프와 `backward`와 옵티마이저입니다. 이어지는 수업에서는 이 네 가지를 평범한 배열에서
# 시작해 직접 만들고, 마지막에는 1장의 프로그램을 여러분이 만든 코드 위에서 돌립니다. `nbtorch lab`은 새 수업을 가져오되,
# 여러분이 고친 노트북은 결코 건드리지 않습니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - See a program improve without being told the rule, and name the four parts: model, loss, gradient, step.
# - Read the drawing of a graph from the leaves to the loss.
# - Know how the exercises work: check, hint, solution.
#
# ## Three common errors
#
# 1. “The gradient points where we want to go.” It points uphill; the step goes against it.
# 2. A larger learning rate is taken for a faster one; part 5 shows it leap.
# 3. The cells are run without a guess. Insist on the predictions: a wrong one is the beginning of a question.
#
# ## A question to discuss
#
# The digit reader was never told what a 3 is. Where is what it knows now, and could you read it there?
#
# ## What to skip
#
# With little time, leave out part 4 (the digits) and come back to it after lesson 08.
# %% [markdown] lang="ko" of="b5196cbb" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 규칙을 알려 주지 않아도 나아지는 프로그램을 보고 모델, 손실, 그래디언트, 걸음이라는 네 부분을 말한다.
# - 그래프 그림을 잎에서 손실까지 읽는다.
# - 연습 문제를 푸는 방법(check, hint, solution)을 안다.
#
# ## 흔한 오류 셋
#
# 1. “그래디언트는 우리가 가려는 쪽을 가리킨다.” 오르막을 가리키며, 걸음은 그 반대쪽이다.
# 2. 학습률이 크면 빠르다고 생각한다. 5장에서 뛰어넘는 모습을 보인다.
# 3. 예측하지 않고 셀을 실행한다. 예측을 꼭 시킨다. 빗나간 예측이 질문의 시작이다.
#
# ## 토론할 질문
#
# 손글씨를 읽는 신경망에게 3이 무엇인지 알려 준 적이 없다. 지금 알고 있는 것은 어디에 있고, 거기서 읽어 낼 수 있을까?
#
# ## 건너뛸 것
#
# 시간이 없으면 4장(손글씨)을 빼고 08번 수업 뒤에 돌아온다.
