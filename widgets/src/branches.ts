import { filterRows, type Rows, type Story } from "./protocol";

/** The losses of a branch that the run has left, from the step where it left its own parent. */
export interface Ghost {
  branch: number;
  steps: Uint32Array;
  loss: Float32Array;
}

/** The branches that lead to `branch`, each with the last step that belongs to the way. */
export function lineage(forks: Story["forks"], branch: number): Map<number, number> {
  const way = new Map<number, number>();
  let limit = Infinity;
  for (let at: number | undefined = branch; at !== undefined && !way.has(at); ) {
    way.set(at, limit);
    const fork = forks.get(at);
    limit = Math.min(limit, fork?.step ?? Infinity);
    at = fork?.parent;
  }
  return way;
}

/** Rows of all branches, told apart: those on the way to `branch`, ordered by step, and the others' losses. */
export function split(rows: Rows, parameters: number, way: Map<number, number>): { own: Rows; ghosts: Ghost[] } {
  const isOwn = (row: number) => (rows.steps[row] ?? 0) <= (way.get(rows.branches[row] ?? 0) ?? -1);
  const ghosts = new Map<number, { steps: number[]; loss: number[] }>();
  rows.steps.forEach((step, row) => {
    if (isOwn(row)) return;
    const branch = rows.branches[row] ?? 0;
    let ghost = ghosts.get(branch);
    if (!ghost) ghosts.set(branch, (ghost = { steps: [], loss: [] }));
    ghost.steps.push(step);
    ghost.loss.push(rows.loss[row] ?? NaN);
  });
  // A branch on the way comes to its limit before the next begins, so the order by branch is the order by step.
  return {
    own: filterRows(rows, parameters, isOwn),
    ghosts: [...ghosts].map(([branch, { steps, loss }]) => ({
      branch, steps: Uint32Array.from(steps), loss: Float32Array.from(loss),
    })),
  };
}
