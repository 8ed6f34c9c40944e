import { fit } from "../format";

type Measure = (text: string) => number;

/** Names as they stand beside a map. Measuring text is slow, so it is done once for a font and a width. */
export class Labels {
  private key = "";
  private width = 0;
  private texts: (string | undefined)[] = [];

  constructor(private readonly names: readonly string[]) {}

  /** The width that the names take up of `room` pixels, in the context's font of now. */
  widest(font: string, room: number, measure: Measure): number {
    const key = `${font} ${room}`;
    if (key !== this.key) {
      this.key = key;
      this.width = this.names.reduce((widest, name) => Math.max(widest, measure(name)), 24);
      this.width = Math.min(room * 0.36, this.width);
      this.texts = [];
    }
    return this.width;
  }

  /** A name in at most `width` pixels. */
  fit(index: number, width: number, measure: Measure): string {
    return (this.texts[index] ??= fit(this.names[index] ?? "", width, measure));
  }
}
