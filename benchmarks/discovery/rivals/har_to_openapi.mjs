// Runs har-to-openapi on one HAR and prints the operations it finds, as hauberk's `operations.json` has them.
import { readFileSync, writeFileSync } from "node:fs";
import { generateSpec } from "har-to-openapi";

const [input, output] = process.argv.slice(2);
const { spec } = await generateSpec(JSON.parse(readFileSync(input, "utf8")), {
  forceAllRequestsInSameSpec: true,
  guessAuthenticationHeaders: false,
  relaxedMethods: true,
  relaxedContentTypeJsonParse: true,
  attemptToParameterizeUrl: true,
  logErrors: false,
});
const operations = Object.entries(spec.paths).flatMap(([endpoint, item]) =>
  Object.keys(item)
    .filter((key) => /^(get|put|post|delete|options|head|patch|trace)$/.test(key))
    .map((method) => ({ method: method.toUpperCase(), endpoint })),
);
writeFileSync(output, JSON.stringify(operations));
