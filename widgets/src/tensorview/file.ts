/** The value in which a widget's tensors are saved: a header in JSON, then bytes (`protocol.pack_file`). */
import { ProtocolError } from "../protocol";

export type Json = Record<string, unknown>;

export function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof DataView) return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  return null;
}

/** Header and bytes; null where there is nothing yet. */
export function unpack(value: unknown): { header: Json; bytes: Uint8Array } | null {
  const bytes = asBytes(value);
  if (!bytes || bytes.byteLength === 0) return null;
  if (bytes.byteLength < 4) throw new ProtocolError("a saved value of less than four bytes");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + length > bytes.byteLength) throw new ProtocolError("a saved value that ends within its header");
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { header: record(header), bytes: bytes.subarray(4 + length) };
}

export function record(value: unknown): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new ProtocolError("expected an object");
}

export function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ProtocolError("expected a list");
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Integers of at least `least`. */
export function integers(value: unknown, length = -1, least = 0): number[] {
  const found = list(value);
  const sound = found.every((n) => Number.isSafeInteger(n) && (n as number) >= least);
  if (!sound || (length >= 0 && found.length !== length)) throw new ProtocolError(`expected integers, got ${String(value)}`);
  return found as number[];
}

export function integer(value: unknown, least = 0): number {
  return integers([value], 1, least)[0] ?? 0;
}

/** `count` bytes from `at` on. */
export function slice(bytes: Uint8Array, at: unknown, count: unknown): Uint8Array {
  const [from, length] = [integer(at), integer(count)];
  if (from + length > bytes.byteLength) throw new ProtocolError(`expected ${from + length} bytes, got ${bytes.byteLength}`);
  return bytes.subarray(from, from + length);
}
