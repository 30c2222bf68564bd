// Runs har-to-openapi on one HAR of one host and writes its OpenAPI document.
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
writeFileSync(output, JSON.stringify(spec));
