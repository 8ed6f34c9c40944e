/** A canvas whose coordinates are CSS pixels, sharp on any screen. */
export class Layer {
  readonly element: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(className: string) {
    this.element = document.createElement("canvas");
    this.element.className = className;
    const context = this.element.getContext("2d");
    if (!context) throw new Error("this browser has no 2D canvas");
    this.context = context;
  }

  /** Fit the canvas to a size in CSS pixels, and clear it. */
  reset(width: number, height: number): CanvasRenderingContext2D {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    const { element, context } = this;
    if (element.width !== w || element.height !== h) {
      element.width = w;
      element.height = h;
      element.style.width = `${width}px`;
      element.style.height = `${height}px`;
    }
    this.width = width;
    this.height = height;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }
}

/** A tile of diagonal lines. */
export function hatch(context: CanvasRenderingContext2D, colour: string, ground: string): CanvasPattern | string {
  const ratio = window.devicePixelRatio || 1;
  const size = Math.round(6 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  if (!brush) return colour;
  brush.fillStyle = ground;
  brush.fillRect(0, 0, size, size);
  brush.strokeStyle = colour;
  brush.lineWidth = 1.6 * ratio;
  brush.beginPath();
  for (const shift of [-size, 0, size]) {
    brush.moveTo(shift - 1, size + 1);
    brush.lineTo(shift + size + 1, -1);
  }
  brush.stroke();
  const pattern = context.createPattern(tile, "repeat");
  pattern?.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern ?? colour;
}
