# %% [markdown] lang="en"
# # 01 · Numbers in a row
#
# *About 45 minutes, the exercises included. You need lesson 00 and a little Python.*
#
# **Turning a matrix of a million numbers on its side takes no longer than turning one of four. How can that be?**
#
# Every framework for deep learning, PyTorch included, stands on one simple idea about how numbers lie in memory. After this
# lesson you can say where any element of any array is, why turning, cutting and stretching an array can cost nothing, and
# which two shapes fit together. You will write three small functions, and the next lessons use all of them.
# %% [markdown] lang="ko" of="f49cff2d"
# # 01 · 한 줄로 늘어선 수
#
# 연습 문제를 포함해 약 45분. 00번 수업과 약간의 파이썬이면 충분합니다.
#
# **수 백만 개짜리 행렬을 옆으로 눕히는 데 걸리는 시간은 수 네 개짜리를 눕힐 때와 똑같습니다. 어떻게 그럴 수 있을까요?**
#
# PyTorch를 비롯한 모든 딥러닝 프레임워크는 수가 메모리에 어떻게 놓이는가에 관한 단순한 생각 하나 위에 서 있습니다. 이 수업을 마치면
# 어떤 배열의 어떤 원소가 어디에 있는지, 배열을 눕히고 자르고 늘리는 일에 왜 비용이 들지 않는지, 어떤 두 모양이 서로 맞는지 말할 수
# 있습니다. 작은 함수 세 개를 직접 쓰고, 다음 수업들은 그 함수를 모두 사용합니다.
# %% tags=["setup"]
# %load_ext nbtorch
import numpy as np

from nbtorch import course
from nbtorch_widgets import BroadcastBoard, StrideTape

course.start("01")
# %% [markdown] lang="en"
# ## 1. A grid that isn't one
#
# On the screen an array looks like a grid:
# %% [markdown] lang="ko" of="50eb917b"
# ## 1. 격자처럼 보이지만
#
# 화면에서 배열은 격자처럼 보입니다.
# %%
grid = np.arange(12).reshape(3, 4)
print(grid)
# %% [markdown] lang="en"
# Memory has no rows and no columns. It is one long street of numbered places, and the twelve numbers live there side by
# side. Call that street the **storage**.
#
# > **Predict.** The element `grid[2, 1]` is in row 2, column 1 (counted from 0). At which place of the storage does it live?
# > How did you find it: what did you multiply by what?
# %% [markdown] lang="ko" of="b855a97c"
# 메모리에는 행도 열도 없습니다. 번호가 붙은 자리가 한 줄로 길게 늘어선 거리가 있을 뿐이고, 수 열두 개가 거기에 나란히 삽니다. 그 거리를
# **저장소**(storage)라고 부르겠습니다.
#
# > **예측.** 원소 `grid[2, 1]`은 2행 1열에 있습니다(0부터 셉니다). 저장소에서는 몇 번째 자리에 살까요? 어떻게 찾았나요? 무엇에
# > 무엇을 곱했나요?
# %%
storage = grid.ravel()
print(storage)
print("grid[2, 1] =", grid[2, 1], " storage[9] =", storage[9])
# %% [markdown] lang="en"
# At place 9: two whole rows of 4 lie before it, and one number of its own row. So one step *down* the grid is a jump of 4
# places in the storage, one step to the *right* a jump of 1. These two jumps, `(4, 1)`, are the array's **strides**. With
# them any index becomes a place:
#
# $$\text{place} = \text{start} + \sum_k \text{index}_k \cdot \text{stride}_k$$
#
# ## 2. The strides of a shape
#
# NumPy and PyTorch fill the storage row by row, so the last axis has neighbours side by side. From that the strides follow,
# for any shape.
#
# > **Predict.** What are the strides of an array of shape `(2, 3, 4)`?
# %% [markdown] lang="ko" of="571cb9df"
# 9번 자리입니다. 앞에 네 칸짜리 행이 두 줄 있고, 자기 행에서 앞에 하나가 있습니다. 그러니까 격자에서 **아래로** 한 칸은 저장소에서 네
# 칸을 건너뛰는 일이고, **오른쪽으로** 한 칸은 한 칸을 가는 일입니다. 이 두 걸음 `(4, 1)`이 배열의 **스트라이드**(stride)입니다.
# 스트라이드가 있으면 어떤 인덱스든 자리로 바꿀 수 있습니다.
#
# $$\text{자리} = \text{시작} + \sum_k \text{인덱스}_k \cdot \text{스트라이드}_k$$
#
# ## 2. 모양에서 스트라이드로
#
# NumPy와 PyTorch는 저장소를 행 단위로 채웁니다. 그래서 마지막 축의 이웃이 바로 옆에 놓입니다. 어떤 모양이든 스트라이드는 여기에서
# 따라 나옵니다.
#
# > **예측.** 모양이 `(2, 3, 4)`인 배열의 스트라이드는 무엇일까요?
# %% [markdown] lang="en"
# ### Exercise 1 · `contiguous_strides`  (10 minutes, important)
#
# Write the function below: it gets a shape, a tuple of sizes, and returns the strides as a tuple. Replace the line that
# raises. Then run the cell, and the check under it. If you are stuck, `course.hint("contiguous_strides")` helps a little, and
# more each time.
# %% [markdown] lang="ko" of="a6cba1cb"
# ### 연습 1 · `contiguous_strides`  (10분, 중요)
#
# 아래 함수를 완성하세요. 크기를 담은 튜플인 모양을 받아 스트라이드를 튜플로 돌려줍니다. 오류를 일으키는 줄을 지우고 코드를 쓴 다음 셀을
# 실행하고, 이어서 그 아래의 검사를 실행하세요. 막히면 `course.hint("contiguous_strides")`가 조금씩 더 알려 줍니다.
# %%
#@save contiguous_strides
def contiguous_strides(shape):
    """The strides of an array of this shape whose numbers lie row by row."""
    ### BEGIN SOLUTION
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))
    ### END SOLUTION
# %%
course.check("contiguous_strides")
# %%
for shape in [(3, 4), (2, 3, 4), (5,)]:
    print(shape, "->", contiguous_strides(shape))
# %% [markdown] lang="en"
# ### Exercise 2 · `index_to_offset`  (5 minutes, important)
#
# Now the formula itself. `index` and `strides` are tuples of the same length; `start` says where in the storage the array
# begins, usually at 0.
# %% [markdown] lang="ko" of="50b9cdc1"
# ### 연습 2 · `index_to_offset`  (5분, 중요)
#
# 이번에는 위의 식 자체입니다. `index`와 `strides`는 길이가 같은 튜플이고, `start`는 배열이 저장소의 어디에서 시작하는지를 나타냅니다.
# 보통은 0입니다.
# %%
#@save index_to_offset
def index_to_offset(index, strides, start=0):
    """The place in the storage of the element at `index`."""
    ### BEGIN SOLUTION
    return start + sum(i * stride for i, stride in zip(index, strides))
    ### END SOLUTION
# %%
course.check("index_to_offset")
# %% [markdown] lang="en"
# ## 3. Turning without moving
#
# Here is the answer to the question at the top. To turn the grid on its side, rows must become columns. Nobody says that the
# numbers have to move for that! It is enough to exchange the two sizes, and the two strides with them. The function below
# reads a "grid" out of a storage with your `index_to_offset`; it doesn't know what the numbers mean.
# %% [markdown] lang="ko" of="9ea6cbb8"
# ## 3. 옮기지 않고 눕히기
#
# 이제 맨 위의 질문에 답할 차례입니다. 격자를 눕히려면 행이 열이 되어야 합니다. 그런데 수를 옮겨야 한다는 법은 없습니다! 두 크기를 서로
# 바꾸고 두 스트라이드도 함께 바꾸면 그만입니다. 아래 함수는 여러분의 `index_to_offset`으로 저장소에서 "격자"를 읽어 냅니다. 수의 뜻은
# 전혀 모릅니다.
# %%
def read_grid(storage, shape, strides, start=0):
    rows, columns = shape
    for i in range(rows):
        row = [storage[index_to_offset((i, j), strides, start)] for j in range(columns)]
        print(" ".join(f"{int(number):3d}" for number in row))

print("as it was:")
read_grid(storage, shape=(3, 4), strides=(4, 1))
print("on its side:")
read_grid(storage, shape=(4, 3), strides=(1, 4))
# %% [markdown] lang="en"
# The same twelve numbers at the same twelve places. Only four small numbers changed, the shape and the strides, and four
# small numbers are as quickly exchanged for a million elements as for four. Such a second way of looking at one storage is
# called a **view**.
#
# Below is the street itself. **Use it:** move over `grid` (or use the arrow keys) and watch the place on the
# tape; then the same in the turned view. *In which of the two do neighbours on the tape stand above each other?*
# %% [markdown] lang="ko" of="5d1d3cfc"
# 같은 수 열두 개가 같은 자리 열두 곳에 그대로 있습니다. 바뀐 것은 모양과 스트라이드, 작은 수 네 개뿐입니다. 원소가 백만 개라도 네 개일
# 때와 똑같이 빨리 바꿀 수 있습니다. 이렇게 하나의 저장소를 바라보는 또 다른 방법을 **뷰**(view)라고 합니다.
#
# 아래가 그 거리입니다. **직접 해 보세요.** `grid` 위에서 마우스를 움직이거나 화살표 키를 누르면서 테이프의 어느 자리인지 보고, 눕힌
# 뷰에서도 똑같이 해 보세요. **테이프에서 이웃한 수가 위아래로 놓이는 것은 둘 가운데 어느 쪽인가요?**
# %%
StrideTape(grid, grid.T, names=["grid", "grid.T"])
# %% [markdown] lang="en"
# In the turned one: its strides are `(1, 4)`, so going *down* is the jump of 1.
#
# Cutting is a view too. Every second column of rows 1 and 2 begins at place 4, and its jumps are 4 and 2:
# %% [markdown] lang="ko" of="27f90f31"
# 눕힌 쪽입니다. 스트라이드가 `(1, 4)`이므로 **아래로** 가는 것이 한 칸입니다.
#
# 자르기도 뷰입니다. 1행과 2행에서 한 열씩 건너뛴 부분은 4번 자리에서 시작하고, 걸음은 4와 2입니다.
# %%
part = grid[1:, ::2]
print(part)
print("read with strides (4, 2) from place 4:")
read_grid(storage, shape=(2, 2), strides=(4, 2), start=4)
# %% [markdown] lang="en"
# ## 4. Break it: who else lives there?
#
# A view costs nothing because it *shares* the storage. That has a price.
#
# > **Predict.** The next cell writes 100 into the turned view. What will `grid` say afterwards? And `copy`?
# %% [markdown] lang="ko" of="f5aac429"
# ## 4. 망가뜨리기: 그곳에 또 누가 살까요?
#
# 뷰에 비용이 들지 않는 것은 저장소를 **함께 쓰기** 때문입니다. 거기에는 대가가 있습니다.
#
# > **예측.** 다음 셀은 눕힌 뷰에 100을 써 넣습니다. 그다음 `grid`는 어떻게 되어 있을까요? `copy`는요?
# %%
copy = grid.copy()
turned = grid.T
turned[3, 0] = 100

print("grid:", *grid[0], "  copy:", *copy[0])
# %% [markdown] lang="en"
# `grid` changed although nobody wrote to `grid`: `turned[3, 0]` and `grid[0, 3]` are the same place. The copy has a storage
# of its own. Half of all puzzling bugs with arrays are this one, and so one question is worth asking often: *view or copy?*
#
# > **Predict.** Which of these four share the storage with `grid`: a slice, a reshape, a reshape of the turned grid, a sum
# > with 0?
# %% [markdown] lang="ko" of="8029917f"
# `grid`에는 아무도 쓰지 않았는데 `grid`가 바뀌었습니다. `turned[3, 0]`과 `grid[0, 3]`은 같은 자리이기 때문입니다. 복사본은 자기 저장소를
# 따로 가집니다. 배열에서 생기는 알 수 없는 버그의 절반이 바로 이것이므로 자주 물어볼 만한 질문이 하나 있습니다. **뷰인가, 복사본인가?**
#
# > **예측.** 다음 넷 가운데 `grid`와 저장소를 함께 쓰는 것은 무엇일까요? 자르기, 모양 바꾸기, 눕힌 격자의 모양 바꾸기, 0 더하기.
# %%
candidates = {
    "grid[1:]": grid[1:],
    "grid.reshape(2, 6)": grid.reshape(2, 6),
    "grid.T.reshape(2, 6)": grid.T.reshape(2, 6),
    "grid + 0": grid + 0,
}
for name, array in candidates.items():
    print(f"{name:22}", "view" if np.shares_memory(grid, array) else "copy")
# %% [markdown] lang="en"
# <details><summary><b>Why the third is a copy</b></summary>
#
# `grid.T` has the strides `(1, 4)`. Read row by row it visits the places 0, 4, 8, 1, 5, 9, … There is no single jump that
# makes this sequence, so no strides can describe it in the shape `(2, 6)`. Then, and only then, `reshape` has to copy.
# PyTorch's `view` refuses in this case ("view size is not compatible with input tensor's size and stride"), and its
# `reshape` copies silently, as NumPy's does.
# </details>
#
# ## 5. A stride of nothing
#
# What if a stride is **0**? Then every step along that axis stays at the same place, and one row looks like many:
# %% [markdown] lang="ko" of="acf5d71c"
# <details><summary><b>세 번째는 왜 복사본일까요?</b></summary>
#
# `grid.T`의 스트라이드는 `(1, 4)`입니다. 행 단위로 읽으면 0, 4, 8, 1, 5, 9, …번 자리를 차례로 찾아갑니다. 이 순서를 만드는 하나의 걸음은
# 없으므로, 모양 `(2, 6)`에서는 어떤 스트라이드로도 나타낼 수 없습니다. `reshape`는 바로 이럴 때만 복사합니다. PyTorch의 `view`는 이 경우
# 거절하고("view size is not compatible with input tensor's size and stride"), PyTorch의 `reshape`는 NumPy처럼 조용히 복사합니다.
# </details>
#
# ## 5. 0만큼 걷기
#
# 스트라이드가 **0**이면 어떻게 될까요? 그 축으로는 아무리 걸어도 같은 자리이므로, 한 행이 여러 행처럼 보입니다.
# %%
row = np.array([10, 20, 30])
read_grid(row, shape=(4, 3), strides=(0, 1))
# %% [markdown] lang="en"
# Twelve numbers on the screen, three in memory. This is how an array is *stretched* so that `matrix + row` works: the row
# is looked at as if it stood there once for each row of the matrix. It is called **broadcasting**. Which shapes may be
# stretched to fit each other? Three rules:
#
# 1. Align the two shapes **at the right**; the shorter gets 1s in front.
# 2. Two sizes fit if they are equal, or if one of them is **1**. The 1 is stretched.
# 3. Anything else is an error.
#
# **Use the board:** move over the result and see which cells of the operands it is made of. *Which cells of `b` are real
# and which are only stretched?*
# %% [markdown] lang="ko" of="a8b30191"
# 화면에는 수가 열두 개지만 메모리에는 세 개뿐입니다. `matrix + row`가 되도록 배열을 **늘리는** 방법이 바로 이것입니다. 행렬의 행마다 그 행이
# 하나씩 서 있는 것처럼 보는 것입니다. 이를 **브로드캐스팅**(broadcasting)이라고 합니다. 어떤 모양끼리 늘려서 맞출 수 있을까요? 규칙은
# 셋입니다.
#
# 1. 두 모양을 **오른쪽에** 맞춥니다. 짧은 쪽은 앞에 1을 채웁니다.
# 2. 두 크기가 같거나 한쪽이 **1**이면 맞습니다. 1인 쪽을 늘립니다.
# 3. 그 밖에는 오류입니다.
#
# **판을 써 보세요.** 결과 위에서 마우스를 움직이면 그 칸이 두 피연산자의 어느 칸에서 왔는지 보입니다. **`b`에서 진짜 칸은 어느 것이고,
# 늘어나기만 한 칸은 어느 것인가요?**
# %%
column = np.array([[100], [200]])
BroadcastBoard(column, row, names=["a", "b"])
# %% [markdown] lang="en"
# ### Exercise 3 · `broadcast_shapes`  (15 minutes, important)
#
# Write the three rules as a function of two shapes. Where they don't fit, raise `ValueError` with a sentence of your own.
# %% [markdown] lang="ko" of="512eafb6"
# ### 연습 3 · `broadcast_shapes`  (15분, 중요)
#
# 세 규칙을 두 모양을 받는 함수로 옮기세요. 맞지 않으면 `ValueError`를 일으키고, 메시지는 여러분이 정하세요.
# %%
#@save broadcast_shapes
def broadcast_shapes(a, b):
    """The shape that arrays of the shapes `a` and `b` have together."""
    ### BEGIN SOLUTION
    length = max(len(a), len(b))
    a = (1,) * (length - len(a)) + tuple(a)
    b = (1,) * (length - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b):
        if m != n and m != 1 and n != 1:
            raise ValueError(f"sizes {m} and {n} don't fit: {a} and {b}")
        shape.append(n if m == 1 else m)
    return tuple(shape)
    ### END SOLUTION
# %%
course.check("broadcast_shapes")
# %% [markdown] lang="en"
# ## 6. Find the bug
#
# Somebody computes the error of four predictions, and the numbers look suspicious: four small errors, but a mean of 93.
#
# > **Predict.** Before you run it: which shape has `difference`? Ask `broadcast_shapes`.
# %% [markdown] lang="ko" of="0145325b"
# ## 6. 버그 찾기
#
# 누군가 예측 네 개의 오차를 계산했는데 수가 이상합니다. 오차는 하나하나 작은데 평균이 93이나 됩니다.
#
# > **예측.** 실행하기 전에 생각해 보세요. `difference`의 모양은 무엇일까요? `broadcast_shapes`에 물어보세요.
# %%
predictions = np.array([[1.0], [9.0], [11.0], [19.0]])
targets = np.array([0.0, 8.0, 12.0, 20.0])

difference = predictions - targets
print("mean squared error:", (difference**2).mean())
print("shapes:", predictions.shape, targets.shape, "->", broadcast_shapes(predictions.shape, targets.shape))
# %% [markdown] lang="en"
# Each error is 1 or −1, so the mean of the squares should be 1. But `(4, 1)` and `(4,)` are aligned at the right: the 4 of
# the second stands over the **1** of the first, both are stretched, and the difference is a table of 4 × 4, *every*
# prediction against *every* target. No error, no warning, a wrong loss. You will meet this one again in lesson 08, in a
# real training.
#
# > **Try it.** Mend it with one call: give `targets` the shape `(4, 1)`.
# %% [markdown] lang="ko" of="44575f84"
# 오차는 모두 1 아니면 −1이므로 제곱의 평균은 1이어야 합니다. 그런데 `(4, 1)`과 `(4,)`를 오른쪽에 맞추면 뒤쪽의 4가 앞쪽의 **1** 위에 놓입니다.
# 둘 다 늘어나서 차이는 4 × 4 표, 곧 **모든** 예측과 **모든** 정답의 차이가 됩니다. 오류도 경고도 없이 손실만 틀립니다. 08번 수업에서 진짜
# 학습을 하다가 다시 만나게 될 버그입니다.
#
# > **해 보기.** 호출 한 번으로 고쳐 보세요. `targets`의 모양을 `(4, 1)`로 만들면 됩니다.
# %%
fixed = predictions - targets.reshape(4, 1)
print("mean squared error:", (fixed**2).mean())
# %% [markdown] lang="en"
# ## 7. What PyTorch does here
#
# Exactly this. nbtorch has PyTorch's names, so you can look; `import torch` shows the same numbers.
# %% [markdown] lang="ko" of="441e190a"
# ## 7. PyTorch에서는
#
# 똑같습니다. nbtorch는 PyTorch와 이름이 같으므로 바로 확인할 수 있습니다. `import torch`로 해도 같은 수가 나옵니다.
# %%
import nbtorch as torch

t = torch.arange(12).reshape(3, 4)
print("stride        ", t.stride(), " yours:", contiguous_strides((3, 4)))
print("t.T           ", t.T.stride(), " contiguous:", t.T.is_contiguous())
print("t[1:, ::2]    ", t[1:, ::2].stride(), " begins at", t[1:, ::2].storage_offset())
print("expand        ", torch.tensor([10, 20, 30]).expand(4, 3).stride())
print("same storage: ", t.data_ptr() == t.T.data_ptr())
# %% [markdown] lang="en"
# ## What to take with you
#
# 1. An array is a **storage**, a row of numbers, and a way to read it: shape, **strides**, start.
# 2. place = start + Σ index · stride; for rows side by side each stride is the product of the sizes behind it.
# 3. Turning, cutting and stretching change the way of reading, not the numbers: they are **views** and share the storage.
# 4. **Broadcasting** aligns shapes at the right and stretches 1s by a stride of 0.
# 5. `(4, 1)` minus `(4,)` is a table. When a loss looks strange, look at the shapes first.
#
# **What comes next.** Numbers in a row don't know yet how they came about. In lesson 02 they get a class of their own, `Tensor`,
# and your three functions are already in `mytorch/numbers.py`.
# %% [markdown] lang="ko" of="6e749c33"
# ## 기억할 것
#
# 1. 배열은 수가 한 줄로 늘어선 **저장소**와 그것을 읽는 방법, 곧 모양과 **스트라이드**와 시작 자리입니다.
# 2. 자리 = 시작 + Σ 인덱스 · 스트라이드. 행이 나란히 놓인 배열에서 스트라이드는 그 뒤에 있는 크기를 모두 곱한 값입니다.
# 3. 눕히고 자르고 늘리는 일은 수가 아니라 읽는 방법을 바꿉니다. 그 결과는 저장소를 함께 쓰는 **뷰**입니다.
# 4. **브로드캐스팅**은 모양을 오른쪽에 맞추고, 1을 스트라이드 0으로 늘립니다.
# 5. `(4, 1)`에서 `(4,)`를 빼면 표가 됩니다. 손실이 이상하면 모양부터 보세요.
#
# **다음에는.** 한 줄로 늘어선 수는 자기가 어떻게 생겨났는지 아직 모릅니다. 02번 수업에서 수들은 `Tensor`라는 클래스를 갖게 됩니다.
# 여러분이 쓴 함수 세 개는 이미 `mytorch/numbers.py`에 들어 있습니다.
# %% [markdown] lang="en" tags=["instructor"]
# # Instructor's notes
#
# ## Goals
#
# - Explain shape and stride as a way of reading one row of numbers, and compute a place in memory from an index.
# - Say why a view costs nothing, and what it shares.
# - Apply the rule of broadcasting from the right.
#
# ## Three common errors
#
# 1. Strides listed from the back, or multiplied by the axis's own size.
# 2. Shapes compared from the left.
# 3. `max` as the rule of broadcasting, which is wrong for axes of length 0.
#
# ## A question to discuss
#
# A transposed view is slower to walk through than a copy of it, although not one number differs. Why?
#
# ## What to skip
#
# Exercise 3 can be left to the reference: only its picture is needed later.
# %% [markdown] lang="ko" of="e05009c8" tags=["instructor"]
# # 강사용 노트
#
# ## 목표
#
# - 모양과 스트라이드를 한 줄의 수를 읽는 방법으로 설명하고, 인덱스에서 메모리의 자리를 계산한다.
# - 뷰에 비용이 들지 않는 까닭과 무엇을 공유하는지 말한다.
# - 브로드캐스팅 규칙을 오른쪽부터 적용한다.
#
# ## 흔한 오류 셋
#
# 1. 스트라이드를 뒤에서부터 적거나 자기 축의 크기까지 곱한다.
# 2. 모양을 왼쪽부터 비교한다.
# 3. 브로드캐스팅의 규칙을 `max`로 쓴다. 길이 0인 축에서 틀린다.
#
# ## 토론할 질문
#
# 전치한 뷰는 수가 하나도 다르지 않은데 그 복사본보다 훑는 데 오래 걸린다. 왜일까?
#
# ## 건너뛸 것
#
# 연습 3은 참고 답안에 맡겨도 된다. 뒤에 필요한 것은 그 그림뿐이다.
