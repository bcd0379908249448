// check.mjs FOLDER: writes the dashboards of FOLDER/dashboards as TypeScript beside shape.ts, for tsc to check,
// and prints the alert rules as JSON.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const folder = process.argv[2];
for (const name of readdirSync(join(folder, "dashboards")).filter((name) => name.endsWith(".json"))) {
  const text = readFileSync(join(folder, "dashboards", name), "utf8");
  writeFileSync(
    join(folder, name.replace(/json$/, "ts")),
    `import type { OurDashboard } from "./shape.ts";\nexport default ${text.trimEnd()} satisfies OurDashboard;\n`,
  );
}
console.log(JSON.stringify(parse(readFileSync(join(folder, "dashboards", "alerts.yaml"), "utf8"))));
