/** Numbers as people read them. Widths don't jump: the same number of significant digits throughout. */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10 to the power of `exponent`. */
export function power(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((d) => SUPERSCRIPTS[Number(d)] ?? "").join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** 1, 2 or 5 times a power of ten, as it stands at the end of a scale. */
export function roundMagnitude(log: number): string {
  const exponent = Math.floor(log + 1e-6);
  const factor = Math.round(10 ** (log - exponent));
  if (exponent >= -2 && exponent <= 2) return String(Number((factor * 10 ** exponent).toPrecision(1)));
  return factor === 1 ? power(exponent) : `${factor}·${power(exponent)}`;
}

/** A measurement with three significant digits, or `digits`. */
export function measure(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e5 && size < 10 ** (digits + 2)
    ? value.toPrecision(digits).includes("e") ? String(Math.round(value)) : value.toPrecision(digits)
    : value.toExponential(digits - 1).replace("e+", "e");
  return text.replaceAll("-", "−");
}

/** A count with thin spaces between thousands. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** Steps a second. */
export function rate(value: number): string {
  return value >= 100 ? count(Math.round(value)) : value.toPrecision(value >= 10 ? 3 : 2);
}

/** Seconds as a person says them. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A variable's name as a heading: its first letter capital, underscores as spaces. */
export function title(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

/** A name in at most `width` as `measureText` sees it, its middle left out, since both ends tell layers apart. */
export function fit(name: string, width: number, measureText: (text: string) => number): string {
  if (measureText(name) <= width) return name;
  for (let kept = name.length - 1; kept > 1; kept--) {
    const head = Math.floor(kept / 3);
    const text = `${name.slice(0, head)}…${name.slice(name.length - (kept - head))}`;
    if (measureText(text) <= width) return text;
  }
  return "…";
}
