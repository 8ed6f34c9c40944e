/**
 * Which of `names` a filter shows, as indices in their order. A filter is a list of patterns between spaces or commas:
 * `*` stands for any characters, dots among them, and `?` for one, so that `*.weight` finds the weights of all modules;
 * a pattern without either is looked for anywhere in a name; after `!` it leaves names out. Capitals don't matter.
 */
export function matching(names: readonly string[], filter: string): Int32Array {
  const patterns = filter.split(/[\s,]+/).filter((pattern) => pattern !== "" && pattern !== "!");
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!")).map(matcher);
  const unwanted = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => matcher(pattern.slice(1)));
  const shown: number[] = [];
  names.forEach((name, index) => {
    const lower = name.toLowerCase();
    if (wanted.length > 0 && !wanted.some((fits) => fits(lower))) return;
    if (!unwanted.some((fits) => fits(lower))) shown.push(index);
  });
  return Int32Array.from(shown);
}

function matcher(pattern: string): (name: string) => boolean {
  const lower = pattern.toLowerCase();
  return /[*?]/.test(lower) ? (name) => glob(lower, name) : (name) => name.includes(lower);
}

/** Whether the whole of `text` fits the pattern. Steps back to the last star only, so it never takes long. */
function glob(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let mark = 0;
  for (let t = 0; t < text.length; ) {
    if (pattern[p] === "*") {
      star = p++;
      mark = t;
    } else if (pattern[p] === "?" || (p < pattern.length && pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
