"""What the findings say, in English and Korean: title, evidence, remedy. Names in braces are a finding's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Text: TypeAlias = tuple[str, str, str]

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "en": {"none": "No findings", "step": "step", "error": "error", "warning": "warning", "note": "note"},
    "ko": {"none": "발견된 문제 없음", "step": "스텝", "error": "오류", "warning": "주의", "note": "참고"},
}

TEXTS: Mapping[str, Mapping[str, Text]] = {
    "nan-data": {
        "en": (
            "NaN or Inf in the data",
            "The {part} of the batch at step {step} contain numbers that are not finite.",
            "Clean the data: look for missing values, divisions by zero and logarithms of zero; check with "
            "isfinite().all().",
        ),
        "ko": (
            "데이터에 NaN 또는 Inf",
            "{step}번째 스텝의 배치({part})에 유한하지 않은 수가 있습니다.",
            "데이터를 정리하세요. 빠진 값, 0으로 나누기, 0의 로그를 찾아보고 isfinite().all()로 확인하세요.",
        ),
    },
    "nan-weights": {
        "en": (
            "Weights are NaN or Inf from the start",
            "{layer} holds numbers that are not finite before the first step.",
            "Look at how it is initialised or loaded; an uninitialised buffer (torch.empty) can hold anything.",
        ),
        "ko": (
            "처음부터 가중치가 NaN 또는 Inf",
            "{layer}에 첫 스텝 전부터 유한하지 않은 수가 있습니다.",
            "초기화하거나 불러오는 코드를 확인하세요. 초기화하지 않은 버퍼(torch.empty)에는 아무 값이나 들어 있습니다.",
        ),
    },
    "nan-forward": {
        "en": (
            "NaN or Inf born in the forward pass",
            "{layer} got finite inputs and made numbers that are not finite, at step {step}.",
            "Guard that operation: logarithm or root of a number ≤ 0, division by zero, exp of a large number. Add "
            "a small epsilon or clamp.",
        ),
        "ko": (
            "순전파에서 NaN 또는 Inf 발생",
            "{step}번째 스텝에서 {layer}의 입력은 유한한데 출력이 유한하지 않습니다.",
            "그 연산을 보호하세요. 0 이하의 로그나 제곱근, 0으로 나누기, 큰 수의 exp가 흔한 원인입니다. 작은 "
            "엡실론을 더하거나 clamp를 쓰세요.",
        ),
    },
    "nan-loss": {
        "en": (
            "NaN or Inf born in the loss",
            "At step {step} data, weights and the model's outputs are finite, but the loss is {loss}.",
            "Use the numerically safe form (cross_entropy on scores instead of log(softmax), log(p + 1e-8)); check "
            "for log(0) and 0/0.",
        ),
        "ko": (
            "손실 계산에서 NaN 또는 Inf 발생",
            "{step}번째 스텝에서 데이터, 가중치, 모델 출력은 유한한데 손실이 {loss}입니다.",
            "수치적으로 안전한 식을 쓰세요(log(softmax) 대신 점수에 cross_entropy, log(p + 1e-8)). log(0)과 0/0이 "
            "없는지 확인하세요.",
        ),
    },
    "nan-backward": {
        "en": (
            "NaN or Inf born in the backward pass",
            "At step {step} the loss is finite ({loss}) but the gradient of {layer} is not.",
            "Some operation has no finite slope where it was used: sqrt or norm at 0, x ** p at 0, where() around "
            "log or division. Add an epsilon inside.",
        ),
        "ko": (
            "역전파에서 NaN 또는 Inf 발생",
            "{step}번째 스텝에서 손실은 유한한데({loss}) {layer}의 그래디언트가 유한하지 않습니다.",
            "어떤 연산이 그 점에서 기울기가 유한하지 않습니다. 0에서의 sqrt나 norm, x ** p, log나 나눗셈을 감싼 "
            "where()를 확인하고 안쪽에 엡실론을 더하세요.",
        ),
    },
    "loss-cut": {
        "en": (
            "The loss is cut off from the model",
            "backward() ran or failed, and none of {count} trainable parameters got a gradient: {why}.",
            "Keep the loss a tensor made from the model's output: no .item(), .data, .detach(), numpy or "
            "torch.tensor(loss), no argmax and no no_grad() on the way.",
        ),
        "ko": (
            "손실이 모델과 끊겨 있음",
            "backward()를 호출했지만 학습할 파라미터 {count}개 중 그래디언트를 받은 것이 없습니다: {why}.",
            "손실은 모델 출력에서 계산된 텐서여야 합니다. 중간에 .item(), .data, .detach(), numpy, "
            "torch.tensor(loss), argmax, no_grad()를 쓰지 마세요.",
        ),
    },
    "no-backward": {
        "en": (
            "backward() is never called",
            "{iterations} iterations were looked at; no gradient arrived at any parameter and no parameter has one.",
            "Call loss.backward() after the loss is computed and before optimizer.step().",
        ),
        "ko": (
            "backward()를 호출하지 않음",
            "반복 {iterations}번을 살펴보았지만 그래디언트를 받은 파라미터가 없습니다.",
            "손실을 계산한 뒤, optimizer.step() 전에 loss.backward()를 호출하세요.",
        ),
    },
    "zero-grad": {
        "en": (
            "zero_grad() is missing: gradients add up",
            "In {share} of {count} checks the gradients were still there when the next backward pass came; at step "
            "{step} the optimizer used a gradient of norm {used}, while the loss's own was {own}.",
            "Call optimizer.zero_grad() once for every optimizer.step(), before backward().",
        ),
        "ko": (
            "zero_grad() 누락: 그래디언트가 누적됨",
            "{count}번 확인 중 {share}에서 다음 역전파 때 이전 그래디언트가 그대로 남아 있었습니다. {step}번째 "
            "스텝에서 옵티마이저가 쓴 그래디언트의 노름은 {used}인데 손실 자체의 것은 {own}입니다.",
            "optimizer.step()마다 한 번씩, backward() 전에 optimizer.zero_grad()를 호출하세요.",
        ),
    },
    "zeroed": {
        "en": (
            "Gradients are cleared before the optimizer uses them",
            "backward() brought gradients of norm {own}, but at {count} of {samples} steps the optimizer found none.",
            "Move zero_grad() before backward(): zero_grad, forward, backward, step.",
        ),
        "ko": (
            "옵티마이저가 쓰기 전에 그래디언트를 지움",
            "backward()가 노름 {own}의 그래디언트를 만들었지만, {samples}번 중 {count}번의 스텝에서 옵티마이저는 "
            "빈 그래디언트를 받았습니다.",
            "zero_grad()를 backward() 앞으로 옮기세요: zero_grad, 순전파, backward, step 순서입니다.",
        ),
    },
    "step-first": {
        "en": (
            "optimizer.step() comes before backward()",
            "At {count} of {samples} steps the order was forward, step, backward: the optimizer never sees the "
            "gradient of the current loss.",
            "Use the order zero_grad, forward, backward, step.",
        ),
        "ko": (
            "optimizer.step()이 backward()보다 먼저 실행됨",
            "{samples}번 중 {count}번의 스텝에서 순서가 순전파, step, backward였습니다. 옵티마이저가 현재 손실의 "
            "그래디언트를 보지 못합니다.",
            "zero_grad, 순전파, backward, step 순서로 쓰세요.",
        ),
    },
    "no-step": {
        "en": (
            "optimizer.step() is never called",
            "{count} backward passes were seen and no step of the optimizer.",
            "Call optimizer.step() after backward().",
        ),
        "ko": (
            "optimizer.step()을 호출하지 않음",
            "역전파는 {count}번 있었지만 옵티마이저의 step은 한 번도 없었습니다.",
            "backward() 뒤에 optimizer.step()을 호출하세요.",
        ),
    },
    "other-model": {
        "en": (
            "The optimizer updates other parameters",
            "None of the {count} trainable parameters of this model belong to the optimizer; it holds {foreign} "
            "others.",
            "Make the optimizer from this model's parameters(), after the model (or its copy, or its new layers) "
            "is made.",
        ),
        "ko": (
            "옵티마이저가 다른 파라미터를 갱신함",
            "이 모델의 학습할 파라미터 {count}개가 옵티마이저에 하나도 없습니다. 옵티마이저에는 다른 파라미터 "
            "{foreign}개가 있습니다.",
            "모델(또는 복사본, 새 층)을 만든 뒤에 그 모델의 parameters()로 옵티마이저를 만드세요.",
        ),
    },
    "not-in-optimizer": {
        "en": (
            "A parameter gets gradients but isn't in the optimizer",
            "{names}: gradient norm {grad} at step {step}, never updated in {samples} samples.",
            "Give it to the optimizer (was the layer added or replaced afterwards?), or set requires_grad=False if "
            "it should stay as it is.",
        ),
        "ko": (
            "그래디언트를 받지만 옵티마이저에 없는 파라미터",
            "{names}: {step}번째 스텝에서 그래디언트 노름 {grad}, 표본 {samples}번 동안 한 번도 갱신되지 않았습니다.",
            "옵티마이저에 넣으세요(옵티마이저를 만든 뒤에 추가하거나 바꾼 층이 아닌가요?). 고정하려는 것이면 "
            "requires_grad=False로 두세요.",
        ),
    },
    "frozen": {
        "en": (
            "A frozen parameter is in the optimizer",
            "{names}: requires_grad is False, so no gradient ever comes, yet the optimizer has it.",
            "Set requires_grad=True if it should learn; if it should not, leave it out of the optimizer.",
        ),
        "ko": (
            "고정된 파라미터가 옵티마이저에 있음",
            "{names}: requires_grad가 False라 그래디언트가 오지 않는데 옵티마이저에 들어 있습니다.",
            "학습시키려면 requires_grad=True로 바꾸고, 아니면 옵티마이저에서 빼세요.",
        ),
    },
    "unused": {
        "en": (
            "A layer is never used in forward()",
            "{names}: no gradient in {samples} samples, and the layer {layer} never ran.",
            "Call it in forward(), or remove it.",
        ),
        "ko": (
            "forward()에서 쓰이지 않는 층",
            "{names}: 표본 {samples}번 동안 그래디언트가 없었고 {layer} 층은 한 번도 실행되지 않았습니다.",
            "forward()에서 호출하거나 지우세요.",
        ),
    },
    "detached": {
        "en": (
            "The graph is cut after a layer",
            "{names}: the layer {layer} runs and its output requires a gradient, but none came back in {samples} "
            "samples.",
            "Something after it cuts the graph (.detach(), .data, .item(), numpy, torch.tensor(...)), or its "
            "output isn't used for the loss.",
        ),
        "ko": (
            "어떤 층 뒤에서 그래프가 끊김",
            "{names}: {layer} 층이 실행되고 출력도 그래디언트를 요구하지만, 표본 {samples}번 동안 돌아온 "
            "그래디언트가 없습니다.",
            "그 뒤에서 그래프가 끊겼거나(.detach(), .data, .item(), numpy, torch.tensor(...)) 출력이 손실 계산에 "
            "쓰이지 않습니다.",
        ),
    },
    "no-grad": {
        "en": (
            "A trainable layer runs without recording",
            "{names}: the output of {layer} requires no gradient although its parameters do.",
            "Take it out of torch.no_grad() or inference_mode(); or freeze it with requires_grad=False if that is "
            "meant.",
        ),
        "ko": (
            "학습할 층이 그래프를 기록하지 않고 실행됨",
            "{names}: 파라미터는 그래디언트를 요구하는데 {layer}의 출력은 요구하지 않습니다.",
            "torch.no_grad()나 inference_mode() 밖으로 빼세요. 일부러 고정한 것이면 requires_grad=False로 두세요.",
        ),
    },
    "non-leaf": {
        "en": (
            "A watched tensor is not a leaf",
            "{names}: made by an operation, so backward() leaves no .grad in it and the optimizer can't train it.",
            "Make it a leaf: compute the value first, then .detach().requires_grad_(), or wrap it in nn.Parameter.",
        ),
        "ko": (
            "지켜보는 텐서가 잎이 아님",
            "{names}: 연산의 결과라서 backward()가 .grad를 남기지 않고 옵티마이저가 학습시킬 수 없습니다.",
            "값을 먼저 계산한 다음 .detach().requires_grad_()로 잎을 만들거나 nn.Parameter로 감싸세요.",
        ),
    },
    "evaluation": {
        "en": (
            "The model trains in evaluation mode",
            "model.training is False at {count} of {samples} sampled steps, and it has dropout or batch normalisation.",
            "Call model.train() before the loop, and again after every evaluation.",
        ),
        "ko": (
            "모델이 평가 모드로 학습 중",
            "표본 {samples}번 중 {count}번에서 model.training이 False이고, 모델에 드롭아웃이나 배치 정규화가 있습니다.",
            "학습 반복문 전에, 그리고 평가가 끝날 때마다 model.train()을 호출하세요.",
        ),
    },
    "uphill": {
        "en": (
            "The steps go uphill",
            "The cosine between step and gradient is {cosine} (downhill would be near -1), and the loss went from "
            "{start} to {end}.",
            "Subtract the gradient: maximize=False, a positive learning rate, w -= lr * grad; check the sign of "
            "the loss.",
        ),
        "ko": (
            "손실이 커지는 방향으로 움직임",
            "갱신과 그래디언트 사이의 코사인이 {cosine}이고(내려가면 -1에 가깝습니다) 손실이 {start}에서 "
            "{end}(으)로 갔습니다.",
            "그래디언트를 빼야 합니다: maximize=False, 양수 학습률, w -= lr * grad. 손실의 부호도 확인하세요.",
        ),
    },
    "clipped": {
        "en": (
            "Clipping takes almost all of the gradient",
            "backward() brings gradients of norm {own}, the optimizer gets {used}; the weights change by {ratio} "
            "of their size a step.",
            "Raise the clipping threshold to a usual gradient norm (1 is common), or remove clipping.",
        ),
        "ko": (
            "클리핑이 그래디언트를 거의 다 없앰",
            "backward()의 그래디언트 노름은 {own}인데 옵티마이저는 {used}을(를) 받습니다. 가중치는 스텝마다 크기의 "
            "{ratio}만큼만 변합니다.",
            "클리핑 기준을 보통의 그래디언트 노름(흔히 1)으로 올리거나 클리핑을 빼세요.",
        ),
    },
    "dropout": {
        "en": (
            "Dropout removes nearly everything",
            "{layer} drops each value with probability {p}.",
            "p is the share that is removed, not kept: 0.1 to 0.5 is usual.",
        ),
        "ko": (
            "드롭아웃이 거의 모든 값을 없앰",
            "{layer} 층이 각 값을 확률 {p}(으)로 없앱니다.",
            "p는 남기는 비율이 아니라 없애는 비율입니다. 보통 0.1에서 0.5입니다.",
        ),
    },
    "symmetric": {
        "en": (
            "All units of a layer are the same",
            "{names}: all rows are equal ({value}) at step {step} and still are after {samples} samples, so all "
            "units learn the same thing.",
            "Initialise weights at random (the layer's default, or nn.init.kaiming_uniform_), not with zeros or "
            "one constant.",
        ),
        "ko": (
            "한 층의 모든 유닛이 똑같음",
            "{names}: {step}번째 스텝에서 모든 행이 같고({value}) 표본 {samples}번 뒤에도 같아서, 모든 유닛이 같은 "
            "것을 배웁니다.",
            "가중치를 0이나 상수 하나로 두지 말고 무작위로 초기화하세요(층의 기본값 또는 nn.init.kaiming_uniform_).",
        ),
    },
    "dead-relu": {
        "en": (
            "Dead ReLUs",
            "{percent} % of the {units} units after {layer} are zero for every example, since step {step}; such "
            "units get no gradient.",
            "Lower the learning rate, check biases and input scale, use kaiming initialisation, or LeakyReLU/GELU.",
        ),
        "ko": (
            "죽은 ReLU",
            "{layer} 뒤의 유닛 {units}개 중 {percent} %가 {step}번째 스텝부터 모든 예에서 0입니다. 이런 유닛은 "
            "그래디언트를 받지 못합니다.",
            "학습률을 낮추고 편향과 입력의 크기를 확인하세요. kaiming 초기화나 LeakyReLU/GELU도 도움이 됩니다.",
        ),
    },
    "saturated": {
        "en": (
            "Saturated {kind} units",
            "{percent} % of the {kind} values after {layer} are at its flat ends, since step {step}; the slope "
            "there is nearly 0.",
            "Make what goes in smaller: scale the inputs, use xavier initialisation, a lower learning rate, or a "
            "normalisation layer before it.",
        ),
        "ko": (
            "포화된 {kind}",
            "{layer} 뒤 {kind} 값의 {percent} %가 {step}번째 스텝부터 평평한 양 끝에 있습니다. 그곳의 기울기는 "
            "거의 0입니다.",
            "들어가는 값을 줄이세요: 입력의 크기 조정, xavier 초기화, 더 낮은 학습률, 또는 앞에 정규화 층을 두세요.",
        ),
    },
    "vanishing": {
        "en": (
            "Vanishing gradients",
            "The gradient of {layer} (rms {low}) is {factor} times that of {top} (rms {high}): it shrinks layer by "
            "layer on the way back.",
            "Use ReLU/GELU instead of sigmoid or tanh, kaiming or xavier initialisation, normalisation layers or "
            "skip connections.",
        ),
        "ko": (
            "그래디언트 소실",
            "{layer}의 그래디언트(rms {low})가 {top}(rms {high})의 {factor}배입니다. 뒤로 가면서 층마다 작아집니다.",
            "sigmoid나 tanh 대신 ReLU/GELU, kaiming 또는 xavier 초기화, 정규화 층, 스킵 연결을 쓰세요.",
        ),
    },
    "tiny-gradient": {
        "en": (
            "Gradients are tiny everywhere",
            "The median gradient is {relative} of the weights (rms) and the loss doesn't move ({start} to {end}).",
            "Look for a loss that is scaled down or saturated, outputs that are all clipped, or a division by too "
            "large a number.",
        ),
        "ko": (
            "모든 그래디언트가 아주 작음",
            "그래디언트의 중앙값이 가중치의 {relative}배(rms)이고 손실이 움직이지 않습니다({start}에서 {end}).",
            "손실을 너무 작게 나누지 않았는지, 손실이 포화되지 않았는지, 출력이 모두 잘리지 않았는지 확인하세요.",
        ),
    },
    "zero-gradient": {
        "en": (
            "A layer's gradient is exactly zero",
            "{names}: the gradient arrives, but is 0 in all of {samples} samples, while other layers' is {other}.",
            "What follows the layer passes nothing back: a factor of 0, a clamp outside its range, rounding, or "
            "dead units.",
        ),
        "ko": (
            "한 층의 그래디언트가 정확히 0",
            "{names}: 그래디언트가 오기는 하지만 표본 {samples}번 모두 0이고, 다른 층은 {other}입니다.",
            "그 층 다음에서 아무것도 돌아오지 않습니다. 0을 곱하거나, 범위 밖의 clamp, 반올림, 죽은 유닛이 원인일 "
            "수 있습니다.",
        ),
    },
    "exploding": {
        "en": (
            "Exploding gradients",
            "The gradient norm reaches {peak} at step {step}, most at {layer}; {how}.",
            "Clip it (clip_grad_norm_(parameters, 1.0)), initialise smaller, add normalisation, or shorten the "
            "sequence.",
        ),
        "ko": (
            "그래디언트 폭발",
            "그래디언트 노름이 {step}번째 스텝에서 {peak}에 이르고 {layer}에서 가장 큽니다; {how}.",
            "clip_grad_norm_(parameters, 1.0)으로 자르고, 더 작게 초기화하거나 정규화를 넣거나 시퀀스를 줄이세요.",
        ),
    },
    "lr-high": {
        "en": (
            "The learning rate is too high",
            "At lr {lr} the loss went from {start} to {peak} at worst and {end} at the end; a step changes weights "
            "by {ratio} of their size (about 0.001 is usual){more}.",
            "Lower the learning rate by a factor of {divide} and see; a warm-up or clipping helps at the edge.",
        ),
        "ko": (
            "학습률이 너무 높음",
            "학습률 {lr}에서 손실이 {start}에서 시작해 최악 {peak}, 끝에는 {end}입니다. 한 스텝에 가중치가 크기의 "
            "{ratio}만큼 변합니다(보통 0.001 정도){more}.",
            "학습률을 {divide}분의 1로 낮춰 보세요. 워밍업이나 클리핑도 도움이 됩니다.",
        ),
    },
    "lr-low": {
        "en": (
            "The learning rate is too low",
            "At lr {lr} a step changes weights by {ratio} of their size (about 0.001 is usual), and the loss "
            "hardly moves: {start} to {end}.",
            "Raise the learning rate; about {factor} times would bring the update ratio to 0.001.",
        ),
        "ko": (
            "학습률이 너무 낮음",
            "학습률 {lr}에서 한 스텝에 가중치가 크기의 {ratio}만큼 변하고(보통 0.001 정도) 손실이 거의 움직이지 "
            "않습니다: {start}에서 {end}.",
            "학습률을 높이세요. {factor}배쯤이면 갱신 비율이 0.001이 됩니다.",
        ),
    },
    "lr-collapsed": {
        "en": (
            "The learning rate falls to nothing",
            "It went from {first} to {last} by step {step}; most of the run trains with next to none.",
            "Check how often scheduler.step() is called (once an epoch or once a batch?) and its length.",
        ),
        "ko": (
            "학습률이 거의 0으로 떨어짐",
            "{step}번째 스텝까지 {first}에서 {last}(으)로 떨어져서, 대부분의 학습이 거의 0인 학습률로 진행됩니다.",
            "scheduler.step()을 얼마나 자주 부르는지(에포크마다인지 배치마다인지)와 스케줄의 길이를 확인하세요.",
        ),
    },
    "decay": {
        "en": (
            "Weight decay dominates",
            "weight_decay {decay} pulls with {pull} of the gradient's strength; the weights shrank to {left} of "
            "their size.",
            "Lower weight_decay: 1e-4 to 1e-2 is usual.",
        ),
        "ko": (
            "가중치 감쇠가 지배적임",
            "weight_decay {decay}이(가) 그래디언트의 {pull}배로 당겨서 가중치가 처음 크기의 {left}(으)로 줄었습니다.",
            "weight_decay를 낮추세요. 보통 1e-4에서 1e-2입니다.",
        ),
    },
    "input-scale": {
        "en": (
            "The inputs are not normalised",
            "What the first layer gets has mean {mean} and standard deviation {std} ({low} to {high}).",
            "Bring the inputs to mean 0 and deviation 1 (pixels: divide by 255, then subtract the mean), with the "
            "training set's numbers.",
        ),
        "ko": (
            "입력이 정규화되지 않음",
            "첫 층에 들어가는 값의 평균이 {mean}, 표준편차가 {std}입니다({low}에서 {high}).",
            "학습 데이터의 값으로 입력을 평균 0, 표준편차 1로 맞추세요(픽셀이면 255로 나눈 뒤 평균을 빼기).",
        ),
    },
    "target-scale": {
        "en": (
            "The targets are not normalised",
            "Targets have mean {mean} and deviation {std}, while the outputs start with deviation {out}; the loss "
            "begins at {start}.",
            "Standardise the targets (subtract the mean, divide by the deviation) and undo it on predictions.",
        ),
        "ko": (
            "목푯값이 정규화되지 않음",
            "목푯값의 평균은 {mean}, 표준편차는 {std}인데 출력의 표준편차는 처음에 {out}입니다. 손실은 {start}에서 "
            "시작합니다.",
            "목푯값을 표준화하고(평균을 빼고 표준편차로 나누기) 예측에서 되돌리세요.",
        ),
    },
    "constant-input": {
        "en": (
            "All inputs are the same",
            "In all of {samples} sampled batches the rows that reach the first layer are equal (value about {mean}).",
            "Look at the loading and preprocessing: a wrong index, a division that rounds to zero, an overwritten "
            "array.",
        ),
        "ko": (
            "모든 입력이 똑같음",
            "표본 배치 {samples}개 모두에서 첫 층에 들어가는 행들이 서로 같습니다(값은 약 {mean}).",
            "데이터를 읽고 전처리하는 코드를 확인하세요: 잘못된 인덱스, 0으로 반올림되는 나눗셈, 덮어쓴 배열.",
        ),
    },
    "softmax-twice": {
        "en": (
            "Softmax is applied twice",
            "The model's outputs are probabilities (rows sum to 1), and cross entropy applies softmax again; the "
            "loss can't fall under {floor}.",
            "Give CrossEntropyLoss the raw scores: remove the softmax at the end of the model.",
        ),
        "ko": (
            "소프트맥스가 두 번 적용됨",
            "모델 출력이 이미 확률인데(행의 합이 1) 크로스 엔트로피가 소프트맥스를 또 적용합니다. 손실이 {floor} "
            "아래로 내려갈 수 없습니다.",
            "CrossEntropyLoss에는 점수를 그대로 주세요. 모델 끝의 소프트맥스를 빼면 됩니다.",
        ),
    },
    "sigmoid-twice": {
        "en": (
            "Sigmoid is applied twice",
            "BCEWithLogitsLoss applies the sigmoid itself, and gets values that already went through one.",
            "Remove the sigmoid at the end of the model, or use BCELoss.",
        ),
        "ko": (
            "시그모이드가 두 번 적용됨",
            "BCEWithLogitsLoss가 시그모이드를 직접 적용하는데, 이미 시그모이드를 거친 값을 받습니다.",
            "모델 끝의 시그모이드를 빼거나 BCELoss를 쓰세요.",
        ),
    },
    "nll-input": {
        "en": (
            "NLLLoss gets no log-probabilities",
            "The loss ({loss}) is taken from {what}; it expects the logarithm of probabilities.",
            "End the model with log_softmax, or use CrossEntropyLoss on the raw scores.",
        ),
        "ko": (
            "NLLLoss에 로그 확률이 아닌 값이 들어감",
            "손실({loss})이 {what}에서 계산되었습니다. NLLLoss는 확률의 로그를 기대합니다.",
            "모델 끝에 log_softmax를 두거나, 점수에 CrossEntropyLoss를 쓰세요.",
        ),
    },
    "relu-scores": {
        "en": (
            "The scores go through a ReLU",
            "Cross entropy gets the output of a ReLU: scores can't be negative and units that are 0 get no gradient.",
            "Remove the ReLU after the last layer.",
        ),
        "ko": (
            "점수가 ReLU를 거침",
            "크로스 엔트로피가 ReLU의 출력을 받습니다. 점수가 음수가 될 수 없고, 0인 유닛은 그래디언트를 받지 "
            "못합니다.",
            "마지막 층 뒤의 ReLU를 빼세요.",
        ),
    },
    "broadcast": {
        "en": (
            "Outputs and targets are broadcast against each other",
            "Outputs {outputs} and targets {targets} make {pairs} differences instead of {count}: every output is "
            "compared with every target.",
            "Give both the same shape: targets.reshape(outputs.shape), or outputs.squeeze(-1).",
        ),
        "ko": (
            "출력과 목푯값이 서로 브로드캐스트됨",
            "출력 {outputs}와 목푯값 {targets}가 {count}개가 아니라 {pairs}개의 차이를 만듭니다. 모든 출력이 모든 "
            "목푯값과 비교됩니다.",
            "모양을 같게 하세요: targets.reshape(outputs.shape) 또는 outputs.squeeze(-1).",
        ),
    },
    "symmetric-now": {
        "en": (
            "All units of a layer are the same",
            "{names}: all rows are equal (up to {value}), so all units learn the same thing.",
            "Initialise weights at random, not with zeros or one constant.",
        ),
        "ko": (
            "한 층의 모든 유닛이 똑같음",
            "{names}: 모든 행이 같아서({value}까지) 모든 유닛이 같은 것을 배웁니다.",
            "가중치를 0이나 상수 하나로 두지 말고 무작위로 초기화하세요.",
        ),
    },
    "nan-gradient": {
        "en": (
            "A gradient is NaN or Inf",
            "The gradient of {layer} holds numbers that are not finite.",
            "Watch a few steps (nbtorch_widgets.watch) and ask %doctor again: it says where the first one was born.",
        ),
        "ko": (
            "그래디언트가 NaN 또는 Inf",
            "{layer}의 그래디언트에 유한하지 않은 수가 있습니다.",
            "nbtorch_widgets.watch로 몇 스텝을 지켜본 뒤 %doctor를 다시 부르면 처음 생긴 곳을 알려 줍니다.",
        ),
    },
    "no-gradients-yet": {
        "en": (
            "No gradients yet",
            "None of the {count} trainable parameters has a gradient.",
            "Call backward() on a loss first, or watch a run and examine that.",
        ),
        "ko": (
            "아직 그래디언트가 없음",
            "학습할 파라미터 {count}개 모두 그래디언트가 없습니다.",
            "먼저 손실에 backward()를 호출하거나, 학습을 지켜보게 한 뒤 그 결과를 살펴보세요.",
        ),
    },
    "no-gradient": {
        "en": (
            "Parameters without a gradient",
            "{names}: no gradient, while others have one.",
            "Not used in forward(), or cut off on the way to the loss (.detach(), .data, no_grad, numpy).",
        ),
        "ko": (
            "그래디언트가 없는 파라미터",
            "{names}: 다른 파라미터와 달리 그래디언트가 없습니다.",
            "forward()에서 쓰이지 않았거나 손실로 가는 길에서 끊겼습니다(.detach(), .data, no_grad, numpy).",
        ),
    },
    "zero-now": {
        "en": (
            "Gradients that are exactly zero",
            "{names}: every element of the gradient is 0.",
            "Look for dead ReLUs, a factor of 0 or a clamp behind it; or zero_grad() was just called.",
        ),
        "ko": (
            "정확히 0인 그래디언트",
            "{names}: 그래디언트의 모든 원소가 0입니다.",
            "뒤에 죽은 ReLU, 0을 곱하는 곳, clamp가 있는지 보세요. 방금 zero_grad()를 불렀을 수도 있습니다.",
        ),
    },
}
