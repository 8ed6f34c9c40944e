/**
 * The built-in functions and optimizers once more, for pages without a kernel and for the moments in which a point is
 * dragged. The formulas are those of `torch.optim` with its default settings; `walk.test.ts` compares them with it.
 */

export interface Settings {
  start: [number, number];
  rates: Record<string, number>;
  momentum: number;
  steps: number;
}

export interface Track {
  key: string;
  xs: Float64Array;
  ys: Float64Array;
  losses: Float64Array;
  /** The step at which it leaves the picture for good. */
  left: number | null;
  error: string;
}

interface Known {
  value(x: number, y: number): number;
  slope(x: number, y: number): [number, number];
}

export const FUNCTIONS: Record<string, Known> = {
  quadratic: { value: (x, y) => 0.5 * (x * x + 20 * y * y), slope: (x, y) => [x, 20 * y] },
  rosenbrock: {
    value: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    slope: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  },
  beale: {
    value: (x, y) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y ** 3) ** 2,
    slope: (x, y) => {
      const [a, b, c] = [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y ** 3];
      return [
        2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y ** 3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y * y,
      ];
    },
  },
  himmelblau: {
    value: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    slope: (x, y) => {
      const [a, b] = [x * x + y - 11, x + y * y - 7];
      return [4 * a * x + 2 * b, 2 * a + 4 * b * y];
    },
  },
  saddle: { value: (x, y) => x * x - y * y, slope: (x, y) => [2 * x, -2 * y] },
};

/** How far one coordinate moves, given its slope, at step 1, 2, ... */
type Rule = (slope: number, step: number) => number;

const RULES: Record<string, (rate: number, momentum: number) => Rule> = {
  sgd: (rate) => (g) => rate * g,
  momentum: (rate, mu) => {
    let v = 0;
    return (g, step) => rate * (v = step === 1 ? g : mu * v + g);
  },
  nesterov: (rate, mu) => {
    let v = 0;
    return (g, step) => {
      v = step === 1 ? g : mu * v + g;
      return rate * (g + mu * v);
    };
  },
  rmsprop: (rate) => {
    let s = 0;
    return (g) => {
      s = 0.99 * s + 0.01 * g * g;
      return (rate * g) / (Math.sqrt(s) + 1e-8);
    };
  },
  adam: (rate, beta) => {
    let m = 0;
    let s = 0;
    return (g, step) => {
      m = beta * m + (1 - beta) * g;
      s = 0.999 * s + 0.001 * g * g;
      return (rate * (m / (1 - beta ** step))) / (Math.sqrt(s / (1 - 0.999 ** step)) + 1e-8);
    };
  },
};

/** Whether this can be computed here. */
export function isKnown(name: unknown, keys: readonly string[]): name is string {
  return typeof name === "string" && name in FUNCTIONS && keys.every((key) => key in RULES);
}

export interface Ends {
  x: [number, number];
  y: [number, number];
}

/** The step after the last one inside, if the path doesn't end inside. */
export function leaves(xs: Float64Array, ys: Float64Array, { x, y }: Ends, diverged: boolean): number | null {
  for (let k = xs.length - 1; k >= 0; k--) {
    const inside = xs[k]! >= x[0] && xs[k]! <= x[1] && ys[k]! >= y[0] && ys[k]! <= y[1];
    if (inside) return k === xs.length - 1 && !diverged ? null : k + 1;
  }
  return 0;
}

/** The path of one optimizer. */
export function walk(name: string, key: string, settings: Settings, ends: Ends): Track {
  const { value, slope } = FUNCTIONS[name]!;
  const rule = RULES[key]!;
  const rate = settings.rates[key] ?? 0.01;
  const moves = [rule(rate, settings.momentum), rule(rate, settings.momentum)];
  let [x, y] = settings.start;
  const xs = [x];
  const ys = [y];
  const losses = [value(x, y)];
  let diverged = false;
  for (let step = 1; step <= settings.steps; step++) {
    const [gx, gy] = slope(x, y);
    x -= moves[0]!(gx, step);
    y -= moves[1]!(gy, step);
    diverged = !(Math.abs(x) < 1e12 && Math.abs(y) < 1e12);
    if (diverged) break;
    xs.push(x);
    ys.push(y);
    losses.push(value(x, y));
  }
  const track = { key, xs: Float64Array.from(xs), ys: Float64Array.from(ys), losses: Float64Array.from(losses), error: "" };
  return { ...track, left: leaves(track.xs, track.ys, ends, diverged) };
}
