/**
 * Where boxes stand and lines run. The picture reads as text does: from left to right, and on in the next row where the
 * width ends. Each open group is a picture of its own inside a frame. Lines that pass over boxes run in lanes below their
 * row, so a residual connection is an arc under what it skips.
 */
import type { Graph, Item } from "./graph";

export type Point = readonly [number, number];

export interface Box {
  item: Item;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Line {
  /** Indices of boxes. */
  from: number;
  to: number;
  /** Positions of the graph's edges that run in it. */
  edges: number[];
  points: Point[];
}

export interface Picture {
  boxes: Box[];
  /** Open groups, outermost first. */
  frames: Box[];
  lines: Line[];
  width: number;
  height: number;
}

interface Row {
  first: number;
  last: number;
  trunk: number;
  bottom: number;
  lanes: number;
  right: number;
}

/** An item with its place; for an open group also its inside. Positions are relative to the parent until the end. */
interface Cell {
  item: Item;
  parent: Cell | null;
  x: number;
  y: number;
  width: number;
  height: number;
  /** The ends of its column, which may be wider. */
  near: number;
  far: number;
  /** Where lines enter on the left and leave on the right. */
  inY: number;
  outY: number;
  rank: number;
  row: number;
  children: Cell[];
  links: Map<string, [Cell, Cell]>;
  entering: Set<Cell>;
  leaving: Set<Cell>;
  rows: Row[];
  ranks: number;
  lane: Map<string, number>;
}

const GAP_X = 26;
const GAP_Y = 10;
const GAP_ROWS = 22;
const PAD = 14;
const HEADER = 20;
const LANE = 7;
const CORNER = 6;

export const BOX_HEIGHT = 42;
export const JOIN = 24;

function sizeOf(item: Item): [number, number] {
  if (item.kind === "join") return [Math.max(JOIN, 12 + 6 * item.title.length), JOIN];
  if (item.kind === "input" || item.kind === "loss") return [Math.max(48, 22 + 6.6 * Math.min(14, item.title.length)), 28];
  const name = 20 + 6.7 * Math.min(18, item.title.length) + (item.kind === "group" ? 12 : 0);
  const below = 74 + 5.6 * Math.min(14, item.detail.length);
  return [Math.round(Math.max(88, name, below)), BOX_HEIGHT];
}

function cellOf(item: Item, parent: Cell | null, open: ReadonlySet<string>): Cell {
  const [width, height] = sizeOf(item);
  const cell: Cell = {
    item, parent, x: 0, y: 0, width, height, near: 0, far: width, inY: height / 2, outY: height / 2, rank: 0, row: 0, children: [],
    links: new Map(), entering: new Set(), leaving: new Set(), rows: [], ranks: 0, lane: new Map(),
  };
  if (item.kind === "group" && (parent === null || open.has(item.id))) {
    cell.children = item.children.map((child) => cellOf(child, cell, open));
  }
  return cell;
}

function ancestors(cell: Cell): Cell[] {
  const chain: Cell[] = [];
  for (let at: Cell | null = cell; at; at = at.parent) chain.push(at);
  return chain;
}

/** The cells below the innermost common group, from the ends up to it: [up from a], [up from b], that group. */
function meet(a: Cell, b: Cell): { up: Cell[]; down: Cell[]; at: Cell } {
  const above = new Set(ancestors(b));
  const up: Cell[] = [];
  let at = a;
  while (!above.has(at) && at.parent) {
    up.push(at);
    at = at.parent;
  }
  const down: Cell[] = [];
  for (let each = b; each !== at && each.parent; each = each.parent) down.push(each);
  return { up, down, at };
}

/** The layer of each child: the longest path to it; what has no source stands just before what needs it. */
function rank(group: Cell): void {
  const { children } = group;
  const following = new Map<Cell, Cell[]>(children.map((child) => [child, []]));
  for (const [source, target] of group.links.values()) following.get(source)?.push(target);
  // Links that lead back, as in a loop over the same modules, don't count.
  const state = new Map<Cell, number>();
  const order: Cell[] = [];
  const forward = new Map<Cell, Cell[]>(children.map((child) => [child, []]));
  for (const child of children) {
    if (state.has(child)) continue;
    const stack: [Cell, number][] = [[child, 0]];
    state.set(child, 1);
    while (stack.length) {
      const top = stack[stack.length - 1];
      if (!top) break;
      const [cell, next] = top;
      const target = following.get(cell)?.[next];
      if (!target) {
        state.set(cell, 2);
        order.push(cell);
        stack.pop();
        continue;
      }
      top[1]++;
      if (state.get(target) === 1) continue;
      forward.get(cell)?.push(target);
      if (!state.has(target)) {
        state.set(target, 1);
        stack.push([target, 0]);
      }
    }
  }
  order.reverse();
  const sources = new Set([...forward.values()].flat());
  for (const cell of order) cell.rank = 0;
  for (const cell of order) for (const target of forward.get(cell) ?? []) target.rank = Math.max(target.rank, cell.rank + 1);
  for (const cell of [...order].reverse()) {
    const targets = forward.get(cell) ?? [];
    if (!sources.has(cell) && targets.length) cell.rank = Math.min(...targets.map((t) => t.rank)) - 1;
  }
  group.ranks = Math.max(0, ...children.map((child) => child.rank)) + 1;
}

/** The children of each rank, those with neighbouring sources side by side. */
function columnsOf(group: Cell): Cell[][] {
  const columns: Cell[][] = Array.from({ length: group.ranks }, () => []);
  for (const child of group.children) columns[child.rank]?.push(child);
  const slot = new Map<Cell, number>();
  const near = new Map<Cell, Cell[]>(group.children.map((child) => [child, []]));
  for (const [source, target] of group.links.values()) {
    near.get(source)?.push(target);
    near.get(target)?.push(source);
  }
  const number = () => columns.forEach((column) => column.forEach((cell, k) => slot.set(cell, k - (column.length - 1) / 2)));
  number();
  for (let sweep = 0; sweep < 4; sweep++) {
    const down = sweep % 2 === 0;
    for (const column of columns) {
      if (column.length < 2) continue;
      const wish = new Map(column.map((cell) => {
        const side = (near.get(cell) ?? []).filter((other) => (down ? other.rank < cell.rank : other.rank > cell.rank));
        const mean = side.reduce((sum, other) => sum + (slot.get(other) ?? 0), 0) / side.length;
        return [cell, side.length ? mean : (slot.get(cell) ?? 0)];
      }));
      column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
    }
    number();
  }
  return columns;
}

/** After which ranks a row may end: where one child alone leads on. */
function breaks(group: Cell): boolean[] {
  const crossing: Set<Cell>[] = Array.from({ length: group.ranks }, () => new Set());
  for (const [source, target] of group.links.values()) {
    for (let r = Math.min(source.rank, target.rank); r < Math.max(source.rank, target.rank); r++) crossing[r]?.add(source);
  }
  for (const cell of group.entering) for (let r = 0; r < cell.rank; r++) crossing[r]?.add(group);
  for (const cell of group.leaving) for (let r = cell.rank; r < group.ranks - 1; r++) crossing[r]?.add(cell);
  return crossing.map((sources) => sources.size <= 1);
}

/** Place a group's inside, for at most about `width` pixels. */
function arrange(group: Cell, width: number): void {
  const inner = group.parent ? width - 2 * PAD : width;
  for (const child of group.children) if (child.children.length) arrange(child, inner);
  rank(group);
  const columns = columnsOf(group);
  const widths = columns.map((column) => Math.max(0, ...column.map((cell) => cell.width)));
  const mayBreak = breaks(group);
  let start = 0;
  const ends: number[] = [];
  for (let r = 0, used = 0, end = -1; r < group.ranks; r++) {
    used += (widths[r] ?? 0) + (r > start ? GAP_X : 0);
    if (used > inner && r > start && end >= start) {
      ends.push(end);
      start = end + 1;
      r = end;
      used = 0;
      end = -1;
    } else if (mayBreak[r]) {
      end = r;
    }
  }
  ends.push(group.ranks - 1);
  start = 0;
  ends.forEach((end, index) => {
    group.rows.push({ first: start, last: end, trunk: 0, bottom: 0, lanes: 0, right: 0 });
    for (let r = start; r <= end; r++) for (const cell of columns[r] ?? []) cell.row = index;
    start = end + 1;
  });
  takeLanes(group);

  const left = group.parent ? PAD : 0;
  let y = group.parent ? HEADER + 4 : 0;
  let right = 0;
  group.rows.forEach((row, index) => {
    const shown = columns.slice(row.first, row.last + 1);
    const stack = (column: Cell[]) => column.reduce((sum, cell) => sum + cell.height + GAP_Y, -GAP_Y);
    const above = Math.max(...shown.map((column) => (column.length === 1 ? (column[0]?.inY ?? 0) : stack(column) / 2)));
    row.trunk = y + above;
    let x = left;
    row.bottom = y;
    shown.forEach((column, k) => {
      const most = widths[row.first + k] ?? 0;
      let top = row.trunk - (column.length === 1 ? (column[0]?.inY ?? 0) : stack(column) / 2);
      for (const cell of column) {
        cell.x = x + (most - cell.width) / 2;
        [cell.near, cell.far] = [x, x + most];
        cell.y = top;
        top += cell.height + GAP_Y;
        row.bottom = Math.max(row.bottom, cell.y + cell.height);
      }
      x += most + GAP_X;
    });
    row.right = x - GAP_X;
    right = Math.max(right, row.right);
    y = row.bottom + (row.lanes ? row.lanes * LANE + 4 : 0) + (index < group.rows.length - 1 ? GAP_ROWS : 0);
  });
  if (!group.parent) {
    group.width = right;
    group.height = y;
    return;
  }
  group.width = Math.max(right + PAD, 30 + 6.4 * (group.item.title.length + group.item.detail.length));
  group.height = y + 10;
  group.inY = group.rows[0]?.trunk ?? group.height / 2;
  group.outY = group.rows[group.rows.length - 1]?.trunk ?? group.height / 2;
  for (const cell of group.children) if (cell.rank === group.ranks - 1 && group.leaving.has(cell)) group.outY = cell.y + cell.outY;
}

/** Give each line that passes over boxes a lane below its row. */
function takeLanes(group: Cell): void {
  const wishes: { key: string; row: number; from: number; to: number }[] = [];
  for (const [key, [source, target]] of group.links) {
    const same = source.row === target.row;
    if (same && target.rank - source.rank === 1) continue;
    const row = group.rows[source.row];
    if (!row || (!same && source.rank === row.last && target.rank === group.rows[target.row]?.first)) continue;
    wishes.push({
      key, row: source.row, from: Math.min(source.rank, same ? target.rank : row.last), to: Math.max(source.rank, same ? target.rank : row.last),
    });
  }
  for (const cell of group.entering) {
    if (cell.rank > 0) wishes.push({ key: `in:${cell.item.id}`, row: cell.row, from: -1, to: cell.rank });
  }
  for (const cell of group.leaving) {
    if (cell.rank < group.ranks - 1) wishes.push({ key: `out:${cell.item.id}`, row: cell.row, from: cell.rank, to: group.ranks });
  }
  wishes.sort((a, b) => a.to - a.from - (b.to - b.from));
  const taken = group.rows.map((): [number, number][][] => []);
  for (const wish of wishes) {
    const lanes = taken[wish.row] ?? [];
    let lane = 0;
    while ((lanes[lane] ?? []).some(([from, to]) => wish.from < to && from < wish.to)) lane++;
    (lanes[lane] ??= []).push([wish.from, wish.to]);
    group.lane.set(wish.key, lane);
    const row = group.rows[wish.row];
    if (row) row.lanes = Math.max(row.lanes, lane + 1);
  }
}

function settle(cell: Cell, x: number, y: number): void {
  cell.x += x;
  cell.near += x;
  cell.far += x;
  cell.y += y;
  for (const row of cell.rows) {
    row.trunk += cell.y;
    row.bottom += cell.y;
    row.right += cell.x;
  }
  for (const child of cell.children) settle(child, cell.x, cell.y);
}

const left = (cell: Cell): Point => [cell.x, cell.y + cell.inY];
const right = (cell: Cell): Point => [cell.x + cell.width, cell.y + cell.outY];
const laneY = (group: Cell, row: number, key: string) => (group.rows[row]?.bottom ?? 0) + 6 + (group.lane.get(key) ?? 0) * LANE;

/** From one place to another: straight, or at `turn` up or down. */
function across([x0, y0]: Point, [x1, y1]: Point, turn: number): Point[] {
  if (Math.abs(y0 - y1) < 0.5) return [[x1, y1]];
  const middle = Math.max(x0 + 4, turn);
  return [[middle, y0], [middle, y1], [x1, y1]];
}

/** From one place to another through a lane below, down at `first` and up at `second`. */
function along([, y0]: Point, lane: number, [x1, y1]: Point, first: number, second: number): Point[] {
  return [[first, y0], [first, lane], [second, lane], [second, y1], [x1, y1]];
}

function route(a: Cell, b: Cell): Point[] {
  const { up, down, at } = meet(a, b);
  const points: Point[] = [right(a)];
  const last = () => points[points.length - 1] ?? right(a);
  const half = GAP_X / 2;
  for (let k = 1; k < up.length; k++) {
    const [child, group] = [up[k - 1], up[k]];
    if (!child || !group) continue;
    const goal = right(group);
    if (child.rank === group.ranks - 1) points.push(...across(last(), goal, goal[0] - 7));
    else points.push(...along(last(), laneY(group, child.row, `out:${child.item.id}`), goal, child.far + half, goal[0] - 7));
  }
  const [source, target] = [up[up.length - 1], down[down.length - 1]];
  if (source && target) {
    const goal = left(target);
    const key = `${source.item.id}>${target.item.id}`;
    const same = source.row === target.row;
    if (at.lane.has(key) && same) {
      points.push(...along(last(), laneY(at, source.row, key), goal, source.far + half, target.near - half));
    } else if (same) points.push(...across(last(), goal, target.near - half));
    else {
      const [x0, y0] = last();
      const upper = at.rows[Math.min(source.row, target.row)];
      const gutter = (upper?.bottom ?? y0) + (upper?.lanes ? upper.lanes * LANE + 4 : 0) + GAP_ROWS / 2;
      const margin = at.lane.has(key) ? source.far + half : Math.max(x0 + 9, (upper?.right ?? x0) + 9);
      const start = target.near - 9;
      points.push([margin, y0], [margin, gutter], [start, gutter], [start, goal[1]], goal);
    }
  }
  for (let k = down.length - 1; k > 0; k--) {
    const [group, child] = [down[k], down[k - 1]];
    if (!group || !child) continue;
    const [goal, from] = [left(child), last()];
    if (child.rank === 0) points.push(...across(from, goal, group.x + 7));
    else points.push(...along(from, laneY(group, child.row, `in:${child.item.id}`), goal, group.x + 7, child.near - half));
  }
  return points;
}

/** Corners of a line become arcs, as many short pieces; what lies in one direction becomes one piece. */
export function rounded(points: readonly Point[]): Point[] {
  const corners: Point[] = [];
  for (const point of points) {
    const [a, b] = [corners[corners.length - 2], corners[corners.length - 1]];
    if (b && Math.abs(b[0] - point[0]) < 0.5 && Math.abs(b[1] - point[1]) < 0.5) continue;
    const straight = a && b && Math.abs((b[0] - a[0]) * (point[1] - b[1]) - (b[1] - a[1]) * (point[0] - b[0])) < 0.5
      && (b[0] - a[0]) * (point[0] - b[0]) + (b[1] - a[1]) * (point[1] - b[1]) > 0;
    if (straight) corners.pop();
    corners.push(point);
  }
  const out: Point[] = [];
  corners.forEach((corner, k) => {
    const [before, after] = [corners[k - 1], corners[k + 1]];
    if (!before || !after) return void out.push(corner);
    const towards = (to: Point): Point => {
      const distance = Math.hypot(to[0] - corner[0], to[1] - corner[1]);
      const t = Math.min(CORNER, distance / 2) / Math.max(distance, 1e-9);
      return [corner[0] + (to[0] - corner[0]) * t, corner[1] + (to[1] - corner[1]) * t];
    };
    const [p, q] = [towards(before), towards(after)];
    for (let i = 0; i <= 4; i++) {
      const t = i / 4;
      const [u, v, w] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
      out.push([u * p[0] + v * corner[0] + w * q[0], u * p[1] + v * corner[1] + w * q[1]]);
    }
  });
  return out;
}

/** The whole picture, for a width. */
export function place(graph: Graph, root: Item, open: ReadonlySet<string>, width: number): Picture {
  const top = cellOf(root, null, open);
  const boxes: Cell[] = [];
  const frames: Cell[] = [];
  const of = new Map<number, number>();
  const visit = (cell: Cell): void => {
    if (cell.children.length) {
      if (cell !== top) frames.push(cell);
      cell.children.forEach(visit);
    } else if (cell !== top) {
      for (const member of cell.item.members) of.set(member, boxes.length);
      boxes.push(cell);
    }
  };
  visit(top);
  const lines = new Map<string, Line>();
  graph.edges.forEach(([source, target], edge) => {
    const [from, to] = [of.get(source) ?? 0, of.get(target) ?? 0];
    const [a, b] = [boxes[from], boxes[to]];
    if (from === to || !a || !b) return;
    const key = `${from}>${to}`;
    const known = lines.get(key);
    if (known) return void known.edges.push(edge);
    lines.set(key, { from, to, edges: [edge], points: [] });
    const { up, down, at } = meet(a, b);
    const [first, last] = [up[up.length - 1], down[down.length - 1]];
    if (first && last) at.links.set(`${first.item.id}>${last.item.id}`, [first, last]);
    for (let k = 1; k < up.length; k++) if (up[k - 1]) up[k]?.leaving.add(up[k - 1] as Cell);
    for (let k = 1; k < down.length; k++) if (down[k - 1]) down[k]?.entering.add(down[k - 1] as Cell);
  });
  if (top.children.length) arrange(top, width);
  settle(top, 0, 0);
  for (const line of lines.values()) {
    const [a, b] = [boxes[line.from], boxes[line.to]];
    if (a && b) line.points = rounded(route(a, b));
  }
  const plain = ({ item, x, y, width: w, height }: Cell): Box => ({ item, x, y, width: w, height });
  const margin = top.rows.length > 1 ? 10 : 0;
  return {
    boxes: boxes.map(plain), frames: frames.map(plain), lines: [...lines.values()], width: top.width + margin, height: top.height,
  };
}

/** How far each box is from the loss, in lines of the longest way; boxes that lead nowhere have 0. */
export function depths(picture: Picture): number[] {
  const { boxes, lines } = picture;
  const arriving: number[][] = boxes.map(() => []);
  const waiting = boxes.map(() => 0);
  for (const { from, to } of lines) {
    arriving[to]?.push(from);
    waiting[from] = (waiting[from] ?? 0) + 1;
  }
  const depth = boxes.map(() => 0);
  const ready = boxes.flatMap((_, i) => (waiting[i] ? [] : [i]));
  for (let k = 0; k < ready.length; k++) {
    const at = ready[k] ?? 0;
    for (const source of arriving[at] ?? []) {
      depth[source] = Math.max(depth[source] ?? 0, (depth[at] ?? 0) + 1);
      waiting[source] = (waiting[source] ?? 1) - 1;
      if (!waiting[source]) ready.push(source);
    }
  }
  return depth;
}
