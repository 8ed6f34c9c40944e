# %% [markdown] lang="en"
# # 05 · Backwards through the graph
#
# *About 60 minutes, the exercises included. You need lesson 04. This is the heart of the course.*
#
# **One operation can tell its slope. A network is a million operations in a row. How do a million small slopes become one answer,
# without computing anything twice?**
#
# At the end of lesson 04 two things were left broken: `w * w` got half of its gradient, and anything of two operations got none. Both
# have the same cure, some thirty lines that go by the name of *backpropagation*. You write them today.
# %% [markdown] lang="ko" of="1e6e21a5"
# # 05 · 그래프를 거슬러
#
# 연습 문제를 포함해 약 60분. 04번 수업이 필요합니다. 이 과정의 심장입니다.
#
# **연산 하나는 자기 기울기를 압니다. 신경망은 연산이 백만 개 이어진 것입니다. 작은 기울기 백만 개가 어떻게, 아무것도 두 번 계산하지 않고,
# 하나의 답이 될까요?**
#
# 04번 수업 끝에 고장 난 것 두 가지를 남겨 두었습니다. `w * w`는 그래디언트를 절반만 받았고, 연산이 둘이면 아예 되지 않았습니다. 둘 다 치료법은
# 하나, **역전파**(backpropagation)라고 불리는 서른 줄 남짓한 코드입니다. 오늘 그것을 씁니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np

from nbtorch import course
from nbtorch.course import method

course.start("05")

from mytorch import AccumulateGrad, Node, Tensor, gradcheck, numerical_grad, source, tensor
# %% tags=["raises-exception"]
w = tensor(3.0, requires_grad=True)
a = w * 2
(a * a).backward()
# %% [markdown] lang="en"
# ## 1. Along one path: multiply
#
# Nudge `w` by a little. Then `a = w * 2` moves twice as much. And `a * a` moves $2a = 12$ times as much as `a` does.
#
# > **Predict.** How much does `a * a` move per nudge of `w`: 12 + 2, or 12 · 2?
# %% [markdown] lang="ko" of="2b400fe2"
# ## 1. 길이 하나면: 곱하기
#
# `w`를 조금 밉니다. `a = w * 2`는 그 두 배 움직입니다. `a * a`는 `a`가 움직인 것의 $2a = 12$배 움직입니다.
#
# > **예측.** `w`를 민 것에 견주어 `a * a`는 얼마나 움직일까요? 12 + 2배일까요, 12 · 2배일까요?
# %%
print(numerical_grad(lambda w: (w * 2) * (w * 2), w).round(4))
# %% [markdown] lang="en"
# 24: slopes along a path are **multiplied**, as gear ratios are. That is the chain rule. It can be multiplied from either end. We
# begin at the result, with "the result moves 1 per nudge of itself", and go against the arrows; you will see why in a moment.
#
# ## 2. By several paths: add
#
# > **Predict.** `a` is used three times below. Which numbers arrive at `a` from behind, and what is the gradient of `w`?
# %% [markdown] lang="ko" of="032b6597"
# 24입니다. 한 길을 따라가는 기울기는 톱니바퀴의 비처럼 **곱합니다**. 이것이 연쇄 법칙입니다. 어느 쪽 끝에서부터 곱해도 되는데, 우리는 "결과는
# 자기 자신을 민 만큼, 1배 움직인다"에서 출발해 화살표를 거슬러 갑니다. 까닭은 곧 보게 됩니다.
#
# ## 2. 길이 여럿이면: 더하기
#
# > **예측.** 아래에서 `a`는 세 번 쓰입니다. 뒤에서 `a`로 돌아오는 수는 무엇무엇이고, `w`의 그래디언트는 얼마일까요?
# %%
a = w * 2
loss = a + a * a
# %graph loss
# %%
print(numerical_grad(lambda w: w * 2 + (w * 2) * (w * 2), w).round(4))
# %% [markdown] lang="en"
# 26. To `a` come back: a 1 from the sum, and from the product a 6 and another 6. Nudging `a` moves all three places at once, so what
# comes back is **added**: 13. And `w` gets $13 \cdot 2$.
#
# Two sentences, then, and that is all there is: *multiply along a path, add where paths meet.* The rest is book-keeping. But
# the book-keeping has a trap.
#
# ## 3. The trap: don't be hasty
#
# The obvious program: a node gets a gradient, asks its rule, and sends the parts on **at once**.
#
# > **Predict.** Each line `y = y + y` sends two parts to the one before. After 15 such lines, how many calls will it take?
# %% [markdown] lang="ko" of="81caa065"
# 26입니다. `a`로 돌아오는 것은 덧셈에서 온 1, 곱셈에서 온 6과 또 6입니다. `a`를 밀면 세 곳이 한꺼번에 움직이므로 돌아온 것을 **더합니다**.
# 13이고, `w`는 $13 \cdot 2$를 받습니다.
#
# 그러니 두 문장이 전부입니다. **한 길에서는 곱하고, 길이 만나면 더한다.** 나머지는 장부 정리일 뿐입니다. 그런데 장부에 함정이 있습니다.
#
# ## 3. 함정: 서두르지 마세요
#
# 가장 먼저 떠오르는 프로그램은 이렇습니다. 노드는 그래디언트를 받으면 규칙에 물어 **곧바로** 다음으로 보냅니다.
#
# > **예측.** `y = y + y` 한 줄은 앞 줄로 두 개를 보냅니다. 이런 줄이 15개이면 함수를 몇 번 부르게 될까요?
# %%
def hasty(node, gradient):
    calls = 1
    if not isinstance(node, AccumulateGrad):
        parts = node.operation.backward(node, gradient)
        for (function, _), part in zip(node.next_functions, parts):
            calls += hasty(function, part)
    return calls

for lines in (1, 5, 10, 15):
    y = tensor(1.0, requires_grad=True)
    for _ in range(lines):
        y = y + y
    print(f"{lines:2} lines: {hasty(y.grad_fn, np.ones(())):6} calls")
# %% [markdown] lang="en"
# $2^{16} - 1$, and it doubles with every line: forty lines would run for days. Nothing was computed wrongly. It is only that
# each node handed on every little delivery by itself, and everybody behind it had to do the same.
#
# The cure: **wait.** A node collects until *everything* that will ever come has come, adds it up, and sends on **once**. Then every node
# is visited once, and that is why one starts at the result: one walk serves all the leaves.
#
# But how does a node know that nothing more will come? It needn't. It is enough to visit the nodes in the right **order**: each one
# before all those that it sends to. Such an order is called *topological*.
#
# ### Exercise 1 · `topological_order`  (15 minutes, important, the hardest of the course's first part)
#
# Walk from `root` along `next_functions` and list each node **once**. The trick: a node is put into `order` when everything
# behind it is there already; turned round, that is the order we want. Keep a stack of pairs:
#
# * take a pair from the stack; if its node is `finished`, append it to `order`;
# * else, if it hasn't been `seen`: mark it, put it back as `(node, True)`, and on top of it each function that it sends to (not
#   `None`) as `(function, False)`.
#
# Why a stack, when a function that calls itself would be shorter? Because a program of 5,000 operations is nothing special, and
# Python gives up after some 1,000 nested calls.
# %% [markdown] lang="ko" of="ad93b67d"
# $2^{16} - 1$번이고, 한 줄 늘 때마다 두 배가 됩니다. 마흔 줄이면 며칠이 걸립니다. 계산이 틀린 것은 아닙니다. 노드마다 작은 배달을 올 때마다 따로
# 넘겼고, 그 뒤에 있는 모두가 똑같이 했을 뿐입니다.
#
# 치료법은 **기다리기**입니다. 올 것이 **모두** 올 때까지 모아서 더한 다음 **한 번만** 보냅니다. 그러면 노드마다 한 번씩만 들르게 됩니다. 결과에서
# 출발하는 까닭도 이것입니다. 한 번 걸으면 모든 잎이 답을 얻습니다.
#
# 그런데 더 올 것이 없다는 것을 노드가 어떻게 알까요? 몰라도 됩니다. 올바른 **순서**로 들르기만 하면 됩니다. 어떤 노드든 자기가 보낼 노드들보다
# 먼저. 이런 순서를 **위상 순서**(topological order)라고 합니다.
#
# ### 연습 1 · `topological_order`  (15분, 중요, 1부에서 가장 어려운 문제)
#
# `root`에서 `next_functions`를 따라 걸으며 노드를 **한 번씩** 적습니다. 요령은 이렇습니다. 자기 뒤에 있는 것이 모두 적힌 다음에 자기를 `order`에
# 적습니다. 그것을 뒤집으면 우리가 바라는 순서입니다. 쌍을 담는 스택을 씁니다.
#
# * 스택에서 쌍을 꺼냅니다. `finished`이면 그 노드를 `order`에 붙입니다.
# * 아니고, 아직 `seen`에 없으면: 표시하고, `(node, True)`로 되돌려 놓고, 그 위에 그 노드가 보낼 함수들을(`None`은 빼고) `(function, False)`로
#   쌓습니다.
#
# 자기 자신을 부르는 함수가 더 짧은데 왜 스택을 쓸까요? 연산 5,000개짜리 프로그램은 흔한데, 파이썬은 호출이 1,000번쯤 겹치면 포기하기
# 때문입니다.
# %%
#@save topological_order
def topological_order(root):
    """Every node that is reached from root, each one before all those that it sends gradients to."""
    order, seen, stack = [], set(), [(root, False)]
    ### BEGIN SOLUTION
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(function, False) for function, _ in node.next_functions if function is not None]
    ### END SOLUTION
    return order[::-1]
# %%
course.check("topological_order")
# %%
print([node.name() for node in topological_order(loss.grad_fn)])
# %% [markdown] lang="en"
# The first `MulBackward` is the product `a * a`, the second one is `a` itself: it comes after both that send to it.
#
# ## 4. At the end of the way
#
# At a leaf the gradient is kept, in `leaf.grad`. A leaf may be reached by several arrows, as `w` in `w * w` was.
#
# ### Exercise 2 · `AccumulateGrad.backward`  (7 minutes, important)
#
# Add `gradient`, an array, to what the leaf has already; `leaf.grad` is `None` if it has nothing yet, and a `Tensor` afterwards.
# The leaf must get numbers **of its own**: the same array may have been sent to somebody else too (`tensor(...)` makes a copy).
# Nothing is sent on, so return the empty tuple.
# %% [markdown] lang="ko" of="fca08ab6"
# 첫 `MulBackward`는 곱 `a * a`이고, 둘째가 `a` 자신입니다. 자기에게 보내는 두 노드보다 뒤에 옵니다.
#
# ## 4. 길의 끝에서
#
# 잎에서는 그래디언트를 `leaf.grad`에 간직합니다. `w * w`의 `w`처럼 화살표 여럿이 한 잎에 닿을 수 있습니다.
#
# ### 연습 2 · `AccumulateGrad.backward`  (7분, 중요)
#
# 배열인 `gradient`를 잎이 이미 가진 것에 더하세요. 아직 아무것도 없으면 `leaf.grad`는 `None`이고, 더한 뒤에는 `Tensor`입니다. 잎은 **자기만의**
# 수를 가져야 합니다. 같은 배열이 다른 곳에도 보내졌을 수 있기 때문입니다(`tensor(...)`는 복사합니다). 더 보낼 곳이 없으므로 빈 튜플을
# 돌려주세요.
# %%
#@save AccumulateGrad.backward
@method(AccumulateGrad)
def backward(self, gradient):
    """Adds what has arrived to the leaf's gradient; there is nobody to send anything on to."""
    leaf = self.variable
    ### BEGIN SOLUTION
    leaf.grad = tensor(gradient if leaf.grad is None else leaf.grad.data + gradient)
    return ()
    ### END SOLUTION
# %%
course.check("AccumulateGrad.backward")
# %% [markdown] lang="en"
# Every other node asks the rule of its operation. So both kinds of node now have a method `backward`, and nobody has to ask which
# kind it is:
# %% [markdown] lang="ko" of="4dd985c9"
# 다른 노드는 모두 자기 연산의 규칙에 묻습니다. 이제 두 종류의 노드에 모두 `backward`가 있으니, 어느 쪽인지 물을 필요가 없습니다.
# %%
#@save Node.backward
@method(Node)
def backward(self, gradient):
    """What the operation sends on, one part for each of its inputs."""
    return self.operation.backward(self, gradient)
# %% [markdown] lang="en"
# ## 5. The walk
#
# ### Exercise 3 · `run_backward`  (12 minutes, important)
#
# `arrived` holds what has arrived at each node so far; in the beginning the root has its gradient. Visit the nodes in
# `topological_order(root)`. At each one:
#
# * ask it for the parts: `node.backward(arrived.pop(node))`;
# * go through its `next_functions` and the parts together; to each function that isn't `None`, **add** its part to what has
#   arrived there. Write `a + b` for it, not `a += b`: that would change an array that others hold, too.
# %% [markdown] lang="ko" of="6c2b210b"
# ## 5. 걷기
#
# ### 연습 3 · `run_backward`  (12분, 중요)
#
# `arrived`에는 지금까지 노드마다 도착한 것이 들어 있습니다. 처음에는 root만 그래디언트를 가집니다. `topological_order(root)`의 순서로 노드에
# 들러, 노드마다 다음을 하세요.
#
# * 보낼 것을 물어봅니다. `node.backward(arrived.pop(node))`
# * `next_functions`와 그 결과를 나란히 훑으면서, `None`이 아닌 함수마다 거기 이미 도착한 것에 **더합니다**. `a += b`가 아니라 `a + b`라고 쓰세요.
#   `+=`는 다른 곳에서도 들고 있는 배열을 바꾸어 버립니다.
# %%
#@save run_backward
def run_backward(root, gradient):
    """Sends the gradient of the root's result through the whole graph, to the leaves."""
    arrived = {root: gradient}
    ### BEGIN SOLUTION
    for node in topological_order(root):
        parts = node.backward(arrived.pop(node))
        for (function, _), part in zip(node.next_functions, parts):
            if function is not None:
                arrived[function] = arrived[function] + part if function in arrived else part
    ### END SOLUTION
# %%
course.check("run_backward")
# %% [markdown] lang="en"
# The new `Tensor.backward` takes care of the beginning. A result of a single number starts with 1. For anything else "how fast does
# it move" has no answer until somebody says how much each of its numbers counts. The messages are PyTorch's.
# %% [markdown] lang="ko" of="01ce6f7e"
# 새 `Tensor.backward`는 출발을 맡습니다. 결과가 수 하나이면 1에서 출발합니다. 그렇지 않으면 수마다 얼마씩 칠지 누군가 말해 주기 전에는 "얼마나
# 움직이는가"에 답이 없습니다. 오류 메시지는 PyTorch의 것입니다.
# %%
#@save Tensor.backward
@method(Tensor)
def backward(self, gradient=None):
    """Adds to the .grad of every leaf how fast this tensor moves when the leaf moves."""
    root = source(self)
    if root is None:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    if gradient is None:
        if self.data.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        gradient = Tensor(np.ones_like(self.data))
    run_backward(root, gradient.data)
# %%
w = tensor(3.0, requires_grad=True)
a = w * 2
loss = a + a * a
loss.backward()
print("gradient of w:", w.grad)
# %% [markdown] lang="en"
# 26, by one walk. And a chain of 5,000 operations, which nudging or haste would never have finished:
# %% [markdown] lang="ko" of="e68d36fb"
# 한 번 걸어서 26입니다. 밀어 보기나 서두르기로는 끝나지 않았을, 연산 5,000개짜리 사슬도 해 봅시다.
# %%
y = start = tensor(1.0, requires_grad=True)
for _ in range(5000):
    y = y * 1.0002
y.backward()
print(f"result {y.item():.3f}, gradient {start.grad.item():.3f}")
# %% [markdown] lang="en"
# ## 6. Watch it
#
# `%%step` walks over the operations of **your** graph, one at a time: first forward, then backward, with the numbers that flow. It asks
# the rules that you wrote.
#
# > **Use it.** Step to the end. Then press **= for +=**, and after it **No topological order**: which gradients turn wrong, and at
# > which node does each of the two mistakes happen? You can also change the value of `w` in the table.
# %% [markdown] lang="ko" of="a10577f8"
# ## 6. 지켜보기
#
# `%%step`은 **여러분의** 그래프에 있는 연산을 하나씩 걷습니다. 먼저 앞으로, 그다음 거슬러, 흐르는 수와 함께 보여 줍니다. 물어보는 규칙은 여러분이
# 쓴 것입니다.
#
# > **써 보세요.** 끝까지 한 걸음씩 가 보세요. 그런 다음 **+= 대신 =**을, 이어서 **위상 정렬 없이**를 눌러 보세요. 어떤 그래디언트가 틀려지고, 두
# > 실수는 각각 어느 노드에서 일어나나요? 표에서 `w`의 값을 바꿀 수도 있습니다.
# %%
%%step
w = tensor(3.0, requires_grad=True)
a = w * 2
loss = a + a * a
# %% [markdown] lang="en"
# ## 7. The judge again
#
# `gradcheck` of lesson 04 only ever called `backward`. Now that `backward` walks whole graphs, so does the check, without a single
# change: formulas, a value that is used again and again, an `if`, a loop.
# %% [markdown] lang="ko" of="ad1c1b56"
# ## 7. 다시 심판에게
#
# 04번 수업의 `gradcheck`는 그저 `backward`를 부를 뿐입니다. 이제 `backward`가 그래프 전체를 걸으므로, 한 글자도 고치지 않고 심판도 그렇게 합니다.
# 수식, 거듭 쓰이는 값, `if`, 반복문까지 모두 됩니다.
# %%
def loop(x):
    y = x
    for _ in range(4):
        y = y * x if y.data[0] < 3 else y - x
    return y

x, y = tensor([1.5, 2.0]), tensor([-1.0, 0.5])
print(gradcheck(lambda x, y: (x * y + x).exp() / (y * y + 1), [x, y]))
print(gradcheck(lambda x: x * x * x - 2 / x, x), gradcheck(loop, x))
# %% [markdown] lang="en"
# ## 8. Find the bug: two broken engines
#
# Both engines below walk the graph of `a + a * a` with $w = 3$, whose gradient is 26. One has `=` where it should add, one visits the
# nodes in the order in which it happens upon them.
#
# > **Predict.** Which of them says 2, and which says 12? Work out what had arrived at `a` when it sent on.
# %% [markdown] lang="ko" of="bae3fbbd"
# ## 8. 버그 찾기: 고장 난 엔진 둘
#
# 아래의 두 엔진은 $w = 3$에서 그래디언트가 26인 `a + a * a`의 그래프를 걷습니다. 하나는 더해야 할 곳에 `=`를 썼고, 하나는 마주치는 순서대로 노드에
# 들릅니다.
#
# > **예측.** 2라고 답하는 것은 어느 쪽이고, 12라고 답하는 것은 어느 쪽일까요? `a`가 보낼 때 무엇이 도착해 있었는지 따져 보세요.
# %%
def as_met(root):
    order = [root]
    for node in order:
        order += [function for function, _ in node.next_functions if function not in (None, *order)]
    return order

def engine(loss, order, add):
    arrived = {loss.grad_fn: np.ones(())}
    for node in order(loss.grad_fn):
        parts = node.backward(arrived[node])
        for (function, _), part in zip(node.next_functions, parts):
            arrived[function] = add(arrived.get(function, 0), part)
# %%
settings = {"overwrites": (topological_order, lambda old, new: new), "does not wait": (as_met, lambda old, new: old + new)}
for name, (order, add) in settings.items():
    w = tensor(3.0, requires_grad=True)
    a = w * 2
    engine(a + a * a, order, add)
    print(f"the engine that {name:13} says {w.grad.item():.0f}")
# %% [markdown] lang="en"
# <details><summary><b>What had arrived</b></summary>
#
# The one that overwrites kept only the last part that came to `a`, a 6, and sent on $6 \cdot 2$. The one that doesn't wait met `a` right
# behind the sum, when only the 1 was there, sent on $1 \cdot 2$, and what the product sent afterwards came to a node that had had
# its turn. Neither raises an error. Only `gradcheck` would tell.
# </details>
#
# ## 9. What PyTorch does here
#
# The same walk, in C++, with several threads; instead of an order made beforehand it counts for each node how many parts are
# still to come, which amounts to the same. And the same numbers.
#
# > **Predict.** The last line calls `backward` a second time, on a new graph of the same `w`. What is `w.grad` then?
# %% [markdown] lang="ko" of="145fdd7e"
# <details><summary><b>무엇이 도착해 있었을까요?</b></summary>
#
# 덮어쓰는 엔진은 `a`에 마지막으로 온 6만 남겨 $6 \cdot 2$를 보냈습니다. 기다리지 않는 엔진은 덧셈 바로 뒤에서 `a`를 만났는데, 그때는 1밖에 와 있지
# 않아 $1 \cdot 2$를 보냈습니다. 곱셈이 나중에 보낸 것은 이미 차례가 지난 노드에 도착했습니다. 둘 다 오류를 내지 않습니다. 알려 주는 것은
# `gradcheck`뿐입니다.
# </details>
#
# ## 9. PyTorch에서는
#
# C++로, 여러 스레드로 같은 길을 걷습니다. 미리 순서를 만드는 대신 노드마다 앞으로 올 것이 몇 개인지 세는데, 결국 같은 일입니다. 수도 같습니다.
#
# > **예측.** 마지막 줄은 같은 `w`로 만든 새 그래프에서 `backward`를 한 번 더 부릅니다. 그러면 `w.grad`는 얼마일까요?
# %%
import nbtorch as torch

w = torch.tensor(3.0, requires_grad=True)
for time in ("once", "twice"):
    a = w * 2
    (a + a * a).backward()
    print(f"backward called {time}: w.grad = {w.grad.item():.0f}")
# %% [markdown] lang="en"
# 52: a leaf *accumulates*, from one call to the next as well; yours does, too. It is what one wants at a diamond, and it is the
# most common bug of all training loops. Lesson 07 deals with it.
#
# ## What to take with you
#
# 1. Along a path slopes are multiplied; where paths meet, what comes back is added.
# 2. Sending on at once costs $2^n$; waiting until all has arrived costs one visit a node.
# 3. A topological order makes waiting unnecessary: each node before those that it sends to.
# 4. Leaves accumulate, in numbers of their own.
# 5. One walk gives the gradients of **all** leaves, for about the price of computing the result.
#
# **What comes next.** So far all tensors had the same shape. Add a bias to a whole batch, and the gradient comes back in the wrong
# one. Lesson 06 folds it back.
# %% [markdown] lang="ko" of="9a0f4921"
# 52입니다. 잎은 한 번의 호출에서 다음 호출까지도 **쌓습니다**. 여러분의 것도 그렇습니다. 길이 만나는 곳에서는 바로 그래야 하지만, 학습 반복문에서는
# 가장 흔한 버그가 됩니다. 07번 수업에서 다룹니다.
#
# ## 기억할 것
#
# 1. 한 길에서는 기울기를 곱하고, 길이 만나면 돌아온 것을 더합니다.
# 2. 곧바로 보내면 $2^n$이 들고, 모두 올 때까지 기다리면 노드마다 한 번씩만 들르면 됩니다.
# 3. 위상 순서로 들르면 기다릴 필요가 없습니다. 어떤 노드든 자기가 보낼 노드들보다 먼저입니다.
# 4. 잎은 자기만의 수로 쌓아 갑니다.
# 5. 한 번 걸으면 **모든** 잎의 그래디언트를 얻습니다. 비용은 결과를 한 번 계산하는 정도입니다.
#
# **다음에는.** 지금까지는 텐서의 모양이 모두 같았습니다. 배치 전체에 편향을 더하면 그래디언트가 엉뚱한 모양으로 돌아옵니다. 06번 수업에서 도로
# 접습니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Multiply along a path, add where paths meet.
# - Explain why an order is needed and what it costs to do without.
# - Write the walk, and say where leaves accumulate.
#
# ## Three common errors
#
# 1. Overwriting what arrived instead of adding.
# 2. Appending a node when it is met, not when all behind it is there.
# 3. `+=` on an array that was sent to two nodes.
#
# ## A question to discuss
#
# One walk gives the gradient of one result in a million inputs. What would one do with a million results and one input?
#
# ## What to skip
#
# Exercise 1 is hard: with beginners, work it out on paper with the diamond and let the reference stand in. The two broken engines are a good exercise for pairs.
# %% [markdown] lang="ko" of="a2434baf" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 한 길에서는 곱하고, 길이 만나면 더한다.
# - 순서가 왜 필요하고 없으면 무엇을 치르는지 설명한다.
# - 걷는 코드를 쓰고 잎이 어디서 쌓는지 말한다.
#
# ## 흔한 오류 셋
#
# 1. 도착한 것에 더하지 않고 덮어쓴다.
# 2. 뒤의 것이 다 적히기 전에, 마주친 순간에 노드를 적는다.
# 3. 두 노드에 보낸 배열에 `+=`를 쓴다.
#
# ## 토론할 질문
#
# 한 번 걸으면 결과 하나에 대해 입력 백만 개의 그래디언트를 얻는다. 결과가 백만 개이고 입력이 하나라면 어떻게 하는 것이 좋을까?
#
# ## 건너뛸 것
#
# 연습 1은 어렵다. 초보자와는 마름모 그래프를 종이에 그려 함께 풀고 참고 답안에 맡긴다. 고장 난 엔진 둘은 짝을 지어 풀기 좋다.
