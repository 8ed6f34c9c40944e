import { ProtocolError, type Buffer } from "../protocol";
import type { Settings, Track } from "./walk";

export interface Racer {
  key: string;
  label: string;
  rate: number | null;
  adjustable: boolean;
  heavy: boolean;
}

export interface Meta {
  mode: "function" | "slice";
  title: string;
  labels: [string, string];
  x: [number, number];
  y: [number, number];
  resolution: number;
  log: boolean | null;
  builtin: string | null;
  source: string;
  minima: [number, number][];
  gradient: string;
  centre: number | null;
  weights: number;
  directions: string;
  racers: Racer[];
  settings: Settings | null;
}

type Json = Record<string, unknown>;

const record = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const finite = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

function pair(value: unknown, name: string): [number, number] {
  const [a, b] = list(value);
  if (finite(a) && finite(b)) return [a, b];
  throw new ProtocolError(`expected ${name} to be two numbers`);
}

export function decodeSettings(value: unknown): Settings | null {
  const raw = record(value);
  if (!Array.isArray(raw["start"])) return null;
  const rates: Record<string, number> = {};
  for (const [key, rate] of Object.entries(record(raw["rates"]))) if (finite(rate)) rates[key] = rate;
  return {
    start: pair(raw["start"], "start"), rates,
    momentum: finite(raw["momentum"]) ? raw["momentum"] : 0.9,
    steps: finite(raw["steps"]) ? Math.max(1, Math.round(raw["steps"])) : 100,
  };
}

export function decodeMeta(value: unknown): Meta {
  const raw = record(value);
  const [one, two] = list(raw["labels"]);
  return {
    mode: raw["mode"] === "slice" ? "slice" : "function",
    title: text(raw["title"]),
    labels: [text(one) || "x", text(two) || "y"],
    x: pair(raw["x"] ?? [0, 1], "x"),
    y: pair(raw["y"] ?? [0, 1], "y"),
    resolution: finite(raw["resolution"]) ? raw["resolution"] : 64,
    log: typeof raw["log"] === "boolean" ? raw["log"] : null,
    builtin: text(raw["builtin"]) || null,
    source: text(raw["source"]),
    minima: list(raw["minima"]).map((at) => pair(at, "a minimum")),
    gradient: text(raw["gradient"]),
    centre: finite(raw["centre"]) ? raw["centre"] : null,
    weights: finite(raw["weights"]) ? raw["weights"] : 0,
    directions: text(raw["directions"]),
    racers: list(raw["racers"]).map(record).map((racer) => ({
      key: text(racer["key"]), label: text(racer["label"]), rate: finite(racer["rate"]) ? racer["rate"] : null,
      adjustable: racer["adjustable"] === true, heavy: racer["heavy"] === true,
    })),
    settings: decodeSettings(raw["settings"]),
  };
}

function bytesOf(buffer: Buffer): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

/** A buffer of little-endian floats that may start at any address. */
export function floats(buffer: Buffer | undefined, count: number): Float32Array {
  const bytes = buffer === undefined ? new Uint8Array(0) : bytesOf(buffer);
  if (bytes.byteLength !== count * 4) throw new ProtocolError(`expected ${count} floats, got ${bytes.byteLength} bytes`);
  return new Float32Array(bytes.slice().buffer);
}

/** Header and buffer of a trait that was written by `protocol.pack_file`; null if it is empty. */
export function unpack(value: unknown): { header: Json; payload: Uint8Array } | null {
  if (!(value instanceof DataView || value instanceof ArrayBuffer || value instanceof Uint8Array)) return null;
  const bytes = bytesOf(value);
  if (bytes.byteLength < 4) return null;
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return { header: record(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))), payload: bytes.subarray(4 + length) };
}

/** The paths of a message: each point is x, y and the loss there. */
export function decodeTracks(header: Json, buffer: Buffer | undefined): Track[] {
  if (!Array.isArray(header["tracks"])) throw new ProtocolError("expected a list of tracks");
  const tracks = header["tracks"].map(record);
  const counts = tracks.map((track) => (finite(track["points"]) && track["points"] >= 0 ? track["points"] : 0));
  const numbers = floats(buffer, 3 * counts.reduce((a, b) => a + b, 0));
  let at = 0;
  return tracks.map((track, k) => {
    const part = numbers.subarray(at, (at += 3 * counts[k]!));
    const column = (c: number) => Float64Array.from({ length: counts[k]! }, (_, i) => part[3 * i + c]!);
    return {
      key: text(track["key"]), xs: column(0), ys: column(1), losses: column(2),
      left: finite(track["left"]) ? track["left"] : null, error: text(track["error"]),
    };
  });
}
