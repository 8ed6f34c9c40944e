// Builds the ES modules of the widgets in nbtorch_widgets/static: nbtorch.js, which all widgets of a notebook share,
// loader.js, which each of them carries, and offline.js, which shows them in a page without a kernel. They are committed, so that nobody needs Node to use the widgets; `--check`
// compares them with a fresh build and changes nothing.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

// A notebook stores nbtorch.js once, and loader.js once for each widget in it.
const MODULES = [
  { source: "src/index.ts", built: "nbtorch.js", limit: 320 * 1024 },
  { source: "src/loader.ts", built: "loader.js", limit: 2 * 1024 },
  { source: "src/offline.ts", built: "offline.js", limit: 4 * 1024 },
];

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

for (const { source, built, limit } of MODULES) {
  const target = fileURLToPath(new URL(`nbtorch_widgets/static/${built}`, import.meta.url));
  const result = await build({
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    entryPoints: [source],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  const text = result.outputFiles[0].text;
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) fail(`${built} has ${bytes} bytes, more than ${limit}`);
  const addresses = text.match(/https?:\/\/(?!www\.w3\.org\/)[^"'`\s)]*/g);
  if (addresses) fail(`${built} refers to the network: ${addresses.join(", ")}`);
  if (process.argv.includes("--check")) {
    const committed = await readFile(target, "utf8").catch(() => "");
    if (committed !== text) fail(`nbtorch_widgets/static/${built} is not what \`npm run build\` makes of src/`);
  } else {
    await writeFile(target, text);
  }
  console.log(`${built}: ${bytes} bytes`);
}
