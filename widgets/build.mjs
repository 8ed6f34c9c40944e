// Builds the one ES module that all widgets share: nbtorch_widgets/static/nbtorch.js. It is committed, so that nobody
// needs Node to use the widgets; `--check` compares it with a fresh build and changes nothing.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const LIMIT = 60 * 1024; // a notebook stores the module once for each widget in it
const target = fileURLToPath(new URL("nbtorch_widgets/static/nbtorch.js", import.meta.url));

const result = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["src/index.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  write: false,
});
const text = result.outputFiles[0].text;

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const bytes = Buffer.byteLength(text);
if (bytes > LIMIT) fail(`the bundle has ${bytes} bytes, more than ${LIMIT}`);
const addresses = text.match(/https?:\/\/[^"'`\s)]*/g);
if (addresses) fail(`the bundle refers to the network: ${addresses.join(", ")}`);

if (process.argv.includes("--check")) {
  const committed = await readFile(target, "utf8").catch(() => "");
  if (committed !== text) fail("nbtorch_widgets/static/nbtorch.js is not what `npm run build` makes of src/");
} else {
  await writeFile(target, text);
}
console.log(`nbtorch.js: ${bytes} bytes`);
