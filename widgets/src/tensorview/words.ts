import { after, words } from "../words";

export const WORDS = words(
  {
    tensor: "Tensor", subtitle: "value beside gradient", value: "value", gradient: "gradient", sign: "Sign", magnitude: "Magnitude", colours: "What the colours show",
    table: "Table", index: "Index", axis: "axis", noElements: "no elements", noGradient: "no gradient", notFinite: "no finite values",
    all: (value: string) => `all ${value}`, range: (low: string, high: string) => `${low} to ${high}`,
    mean: (value: string) => `mean ${value}`, offset: (at: string) => `offset ${at}`,
    hint: "Point at a cell, or use the arrow keys, to read it exactly", zoomHint: "Double-click or + zooms in, − zooms out",
    zoomIn: "Zoom in", zoomOut: "Zoom out",
    blocks: (r: number, c: number) => `each cell shows ${r} × ${c} elements`,
    region: (a: number, b: number, c: number, d: number) => `rows ${a}–${b}, columns ${c}–${d}`,
    saved: "This is the saved picture. Zooming and other slices need a running kernel.",
    wait: "Asking the kernel …",
    map: (name: string, role: string, shape: string, facts: string) => `Heat map of ${name}, ${role}, shape ${shape}, ${facts}`,
    grid: (name: string) => `${name}; arrow keys move a cursor`, more: (n: number) => `and ${n} more`,
    around: (low: string, high: string) => `about ${low} to ${high}`, asDouble: (text: string) => `exactly ${text}`,
    nan: "NaN", infinite: "infinite", zero: "zero",
    memory: "Memory", tapeSubtitle: "where the elements lie", storage: "Storage", shape: "shape", strides: "strides", offsetWord: "offset",
    contiguous: "contiguous", notContiguous: "not contiguous", outside: "outside this view", repeated: "the same cell again",
    cell: (n: string) => `cell ${n}`, cells: (n: number) => `${n} cells`, shownCells: (a: number, b: number, n: number) => `cells ${a}–${b} of ${n}`,
    next: (axis: number, step: string) => `axis ${axis}: ${step}`, stays: "same cell",
    tapeHint: "Point at an element or a cell. Both show where the other is.",
    elementsHere: (n: number) => (n === 0 ? "no element of this view" : n === 1 ? "1 element" : `${n} elements in this one cell`),
    cropped: (shown: string, of: string) => `${shown} of ${of} are shown`,
    broadcast: "Broadcasting", forward: "Forward", backward: "Backward", direction: "Direction", result: "result",
    same: "equal", stretched: (n: number) => `1 repeated ${n} times`, added: (n: number) => `no such axis: repeated ${n} times`,
    clash: (a: number, b: number) => `${a} and ${b} don't fit`,
    clashLong: (axis: number, a: number, b: number) =>
      `Axis −${-axis} has sizes ${a} and ${b}. They must be equal, or one of them 1 so that it can be repeated.`,
    fits: "The shapes fit: from the right, each pair is equal, or one is 1 or missing.",
    boardHint: "Point at a cell to see where it comes from", backHint: "Point at a gradient to see which cells are summed in it",
    gradOf: (name: string) => `gradient of ${name}`, gradResult: "gradient of the result",
    summed: (n: number) => `the sum of ${n} cells`, flows: "flows into",
  },
  {
    tensor: "텐서", subtitle: "값과 그래디언트", value: "값", gradient: "그래디언트", sign: "부호", magnitude: "크기", colours: "색이 나타내는 것",
    table: "표", index: "인덱스", axis: "축", noElements: "원소가 없습니다", noGradient: "그래디언트 없음", notFinite: "유한한 값 없음",
    all: (value: string) => `모두 ${value}`, range: (low: string, high: string) => `${low} ~ ${high}`,
    mean: (value: string) => `평균 ${value}`, offset: (at: string) => `오프셋 ${at}`,
    hint: "칸을 가리키거나 화살표 키를 누르면 정확한 값이 나옵니다", zoomHint: "두 번 누르거나 +로 확대, −로 축소합니다",
    zoomIn: "확대", zoomOut: "축소",
    blocks: (r: number, c: number) => `한 칸이 원소 ${r} × ${c}개를 나타냅니다`,
    region: (a: number, b: number, c: number, d: number) => `행 ${a}–${b}, 열 ${c}–${d}`,
    saved: "저장된 그림입니다. 확대하거나 다른 단면을 보려면 커널이 실행 중이어야 합니다.",
    wait: "커널에 요청하는 중 …",
    map: (name: string, role: string, shape: string, facts: string) => `${name}의 히트맵, ${role}, shape ${shape}, ${facts}`,
    grid: (name: string) => `${name}; 화살표 키로 커서를 옮깁니다`, more: (n: number) => `외 ${n}개`,
    around: (low: string, high: string) => `약 ${low} ~ ${high}`, asDouble: (text: string) => `정확히는 ${text}`,
    nan: "NaN", infinite: "무한대", zero: "0",
    memory: "메모리", tapeSubtitle: "원소가 놓인 자리", storage: "저장 공간", shape: "shape", strides: "strides", offsetWord: "오프셋",
    contiguous: "연속", notContiguous: "연속 아님", outside: "이 뷰에 없는 칸", repeated: "같은 칸이 되풀이됨",
    cell: (n: string) => `칸 ${n}`, cells: (n: number) => `칸 ${n}개`, shownCells: (a: number, b: number, n: number) => `전체 ${n}칸 중 ${a}–${b}`,
    next: (axis: number, step: string) => `축 ${axis}: ${step}`, stays: "같은 칸",
    tapeHint: "원소나 칸을 가리키면 서로의 자리가 나타납니다.",
    elementsHere: (n: number) => (n === 0 ? "이 뷰의 원소 없음" : n === 1 ? "원소 1개" : `원소 ${n}개가 이 한 칸에 있음`),
    cropped: (shown: string, of: string) => `${of} 중 ${shown}만 보입니다`,
    broadcast: "브로드캐스팅", forward: "순전파", backward: "역전파", direction: "방향", result: "결과",
    same: "같음", stretched: (n: number) => `1을 ${n}번 되풀이`, added: (n: number) => `없는 축: ${n}번 되풀이`,
    clash: (a: number, b: number) => `${a}${after(a, "과", "와")} ${b}${after(b, "은", "는")} 맞지 않음`,
    clashLong: (axis: number, a: number, b: number) =>
      `축 −${-axis}의 크기가 ${a}${after(a, "과", "와")} ${b}입니다. 서로 같거나, 한쪽이 1이어서 되풀이할 수 있어야 합니다.`,
    fits: "shape이 맞습니다. 오른쪽부터 짝을 지으면 크기가 같거나, 한쪽이 1이거나 없습니다.",
    boardHint: "칸을 가리키면 어디에서 온 값인지 보입니다", backHint: "그래디언트를 가리키면 어떤 칸이 더해졌는지 보입니다",
    gradOf: (name: string) => `${name}의 그래디언트`, gradResult: "결과의 그래디언트",
    summed: (n: number) => `${n}칸의 합`, flows: "흘러가는 곳:",
  },
);

/** Roles as the kernel names them. */
export function roleName(role: string): string {
  const [head, part] = role.split(".");
  const name = head === "gradient" ? WORDS().gradient : WORDS().value;
  return part ? `${name} (${part})` : name;
}
