// Reads {"name": [sample as JSON text, …]} and writes {"name": JSON Schema}, as quicktype infers it from the samples.
import { readFileSync, writeFileSync } from "node:fs";
import { InputData, jsonInputForTargetLanguage, quicktype } from "quicktype-core";

const [input, output] = process.argv.slice(2);
const schemas = {};
for (const [name, samples] of Object.entries(JSON.parse(readFileSync(input, "utf8")))) {
  const json = jsonInputForTargetLanguage("schema");
  await json.addSource({ name: "Sample", samples });
  const data = new InputData();
  data.addInput(json);
  const { lines } = await quicktype({ inputData: data, lang: "schema" });
  schemas[name] = JSON.parse(lines.join("\n"));
}
writeFileSync(output, JSON.stringify(schemas));
