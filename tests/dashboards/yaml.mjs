// yaml.mjs FOLDER: all its YAML files as one JSON object, by their paths.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const folder = process.argv[2];
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".yaml"));
console.log(JSON.stringify(Object.fromEntries(files.map((name) => [name, parse(readFileSync(join(folder, name), "utf8"))]))));
