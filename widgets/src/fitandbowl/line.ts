/** Fitting a line by the mean of squared differences: the bowl of the loss over (w, b), and gradient descent in it. */

export interface Points { readonly x: readonly number[]; readonly y: readonly number[] }
export type Pair = readonly [number, number];

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function loss({ x, y }: Points, [w, b]: Pair): number {
  return mean(x.map((xi, i) => (w * xi + b - (y[i] ?? 0)) ** 2));
}

export function gradient({ x, y }: Points, [w, b]: Pair): Pair {
  const errors = x.map((xi, i) => w * xi + b - (y[i] ?? 0));
  return [2 * mean(errors.map((e, i) => e * (x[i] ?? 0))), 2 * mean(errors)];
}

export function descend(points: Points, start: Pair, lr: number, steps: number): Pair[] {
  const path: Pair[] = [start];
  for (let k = 0; k < steps; k++) {
    const [w, b] = path[k] as Pair;
    const [dw, db] = gradient(points, [w, b]);
    path.push([w - lr * dw, b - lr * db]);
  }
  return path;
}

/** The bowl: its bottom, its depth there, and the axes of its contours with the loss's curvature along each. */
export interface Bowl { bottom: Pair; depth: number; axes: readonly { direction: Pair; curvature: number }[] }

export function bowl(points: Points): Bowl {
  const mx = mean(points.x), my = mean(points.y);
  const xx = mean(points.x.map((v) => v * v)), xy = mean(points.x.map((v, i) => v * (points.y[i] ?? 0)));
  const spread = xx - mx * mx;
  // All x equal: a trough; of its many lowest points the one with w = 0.
  const w = spread > 1e-12 ? (xy - mx * my) / spread : 0;
  const bottom: Pair = [w, my - w * mx];
  const middle = (xx + 1) / 2, half = Math.hypot((xx - 1) / 2, mx);
  const angle = Math.atan2(2 * mx, xx - 1) / 2;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return { bottom, depth: loss(points, bottom), axes: [
    { direction: [c, s], curvature: middle + half }, { direction: [-s, c], curvature: Math.max(middle - half, 1e-9) },
  ] };
}

/** The contour where the loss is `level` above the bottom, as corners of a polygon. */
export function contour({ bottom, axes }: Bowl, level: number, corners = 72): Pair[] {
  const [one, two] = axes;
  if (!one || !two) return [];
  const a = Math.sqrt(level / one.curvature), b = Math.sqrt(level / two.curvature);
  return Array.from({ length: corners }, (_, k) => {
    const t = (2 * Math.PI * k) / corners, u = a * Math.cos(t), v = b * Math.sin(t);
    return [bottom[0] + u * one.direction[0] + v * two.direction[0], bottom[1] + u * one.direction[1] + v * two.direction[1]];
  });
}
