import { describe, expect, it } from "vitest";
import { after } from "./words";

describe("Korean particles after numbers", () => {
  it("follow the last sound of the number as it is read", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12].map((n) => after(n, "과", "와")).join("")).toBe("과과와과와와과과과와과와");
  });
});
