import { DARK, LIGHT, luminance, type Palette, type Rgb } from "./palette";

/** What a canvas needs of the notebook's theme; the rest of a widget uses the CSS variables themselves. */
export interface Theme {
  palette: Palette;
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  font: string;
  mono: string;
}

function rgb(colour: string): Rgb {
  const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [];
  const opaque = (parts[3] ?? 1) > 0;
  return opaque && parts.length >= 3 ? [parts[0] ?? 255, parts[1] ?? 255, parts[2] ?? 255] : [255, 255, 255];
}

/** The theme that `root`, an element of class `nbt-root` in the page, stands in now. */
export function readTheme(root: HTMLElement): Theme {
  // JupyterLab says so on the body; elsewhere the page or the system does.
  const declared = document.body.dataset["jpThemeLight"];
  root.style.colorScheme = declared === undefined ? "light dark" : declared === "false" ? "dark" : "light";
  const style = getComputedStyle(root);
  const variable = (name: string) => style.getPropertyValue(name).trim();
  const palette = luminance(rgb(style.backgroundColor)) < 0.18 ? DARK : LIGHT;
  root.dataset["theme"] = palette.dark ? "dark" : "light";
  return {
    palette,
    text: style.color,
    muted: variable("--nbt-muted"),
    line: variable("--nbt-line"),
    surface: style.backgroundColor,
    accent: variable("--nbt-accent"),
    font: style.fontFamily,
    mono: variable("--nbt-mono"),
  };
}

/** Call `changed` when the notebook's theme or the system's changes; the returned function ends that. */
export function observeTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"],
  });
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}

export function prefersReducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
