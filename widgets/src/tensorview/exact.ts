/** Elements as they came from memory, each printed with the digits that its dtype has. */
import { ProtocolError } from "../protocol";

export interface Elements {
  length: number;
  /** Its value; of 64-bit integers the nearest double. */
  number(index: number): number;
  /** The shortest text that means this element and no other of its dtype, as NumPy prints it. */
  text(index: number): string;
}

const SIZES: Record<string, number> = { f2: 2, f4: 4, f8: 8, b1: 1, i1: 1, i2: 2, i4: 4, i8: 8, u1: 1, u2: 2, u4: 4, u8: 8 };

/** Bytes of an element of a dtype. */
export function sizeOf(code: string): number {
  const size = SIZES[code];
  if (size === undefined) throw new ProtocolError(`unknown dtype ${code}`);
  return size;
}

/** A half-precision number from its 16 bits (IEEE 754 binary16). */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** Round to `digits` binary digits with exponents from `least` on, ties to even: what a float dtype keeps of a number. */
function roundBinary(value: number, digits: number, least: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(value))));
  const unit = 2 ** (exponent - digits + 1);
  const steps = value / unit;
  const floor = Math.floor(steps);
  const rest = steps - floor;
  return (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor) * unit;
}

const ROUND: Record<string, (value: number) => number> = {
  float16: (value) => roundBinary(value, 11, -14),
  bfloat16: (value) => roundBinary(value, 8, -126),
  float32: Math.fround,
};

/** The shortest text that a float of this dtype is read back from. */
export function floatText(value: number, dtype: string): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const round = ROUND[dtype];
  let text = String(value);
  if (round) {
    for (let digits = 1; digits <= 9; digits++) {
      const shorter = Number(value.toPrecision(digits));
      if (round(shorter) === value) {
        text = String(shorter);
        break;
      }
    }
  }
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The elements in `bytes`. `dtype` is the tensor's own, which may be one that travels as another (bfloat16). */
export function decode(code: string, dtype: string, bytes: Uint8Array): Elements {
  const size = sizeOf(code);
  if (bytes.byteLength % size) throw new ProtocolError(`${bytes.byteLength} bytes are no elements of ${code}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength / size;
  const kind = code[0];
  if (kind === "b") {
    const number = (i: number) => (view.getUint8(i) ? 1 : 0);
    return { length, number, text: (i) => (number(i) ? "True" : "False") };
  }
  if (kind === "i" || kind === "u") {
    const big = (i: number) => (kind === "i" ? view.getBigInt64(i * 8, true) : view.getBigUint64(i * 8, true));
    const small = (i: number): number => {
      if (size === 1) return kind === "i" ? view.getInt8(i) : view.getUint8(i);
      if (size === 2) return kind === "i" ? view.getInt16(i * 2, true) : view.getUint16(i * 2, true);
      return kind === "i" ? view.getInt32(i * 4, true) : view.getUint32(i * 4, true);
    };
    return size === 8
      ? { length, number: (i) => Number(big(i)), text: (i) => String(big(i)) }
      : { length, number: small, text: (i) => String(small(i)) };
  }
  const number = (i: number): number => {
    if (size === 2) return fromHalf(view.getUint16(i * 2, true));
    return size === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true);
  };
  const name = dtype === "bfloat16" ? dtype : size === 2 ? "float16" : size === 4 ? "float32" : "float64";
  return { length, number, text: (i) => floatText(number(i), name) };
}
