/** What the widgets need of the model that the notebook hands to them: anywidget's, a saved one, or a test's. */
export interface Model {
  get(key: string): unknown;
  set?(key: string, value: unknown): void;
  save_changes?(): void;
  send(content: unknown): void;
  on(event: string, listener: (...args: any[]) => void): void;
  off(event: string, listener: (...args: any[]) => void): void;
}
