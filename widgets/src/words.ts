/**
 * Texts in the reader's language. A widget's table is written once, English beside Korean; the types see to it that both
 * have the same entries. An entry is a string or a function that makes one.
 */
export type Language = "en" | "ko";

type Same<T> = { [K in keyof T]: T[K] extends string ? string : T[K] };

let chosen: Language | null = null;

/** The language of `wish` (the widget's trait), else of the page, else of the browser. */
export function setLanguage(wish: unknown): Language {
  const wishes = [wish, document.documentElement.lang, navigator.language];
  const found = wishes.find((w) => typeof w === "string" && /^(en|ko)\b/i.test(w));
  chosen = typeof found === "string" && found.toLowerCase().startsWith("ko") ? "ko" : "en";
  return chosen;
}

/** A table of texts: `const WORDS = words({...}, {...})`, then `WORDS().pause`. */
export function words<T extends object>(en: T, ko: Same<T>): () => T {
  return () => (chosen === "ko" ? (ko as T) : en);
}

/** Of two Korean particles the one that fits after a whole number as it is read: 3(삼)과, 4(사)와. */
export function after(number: number, consonant: string, vowel: string): string {
  return "2459".includes(String(number).slice(-1)) ? vowel : consonant;
}
