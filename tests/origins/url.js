// An origin that finds its handler by Node's own URL parser: `new URL` (argument "whatwg") or `url.parse` (argument "legacy").
const http = require("node:http");
const { parse } = require("node:url");

const pathOf = {
  whatwg: (target) => new URL(target, "http://origin.invalid").pathname,
  legacy: (target) => parse(target).pathname,
}[process.argv[2]];

function handler(target) {
  try {
    return decodeURIComponent(pathOf(target)) === "/admin" ? "admin" : "other";
  } catch {
    return "none";
  }
}

const server = http.createServer((request, response) => {
  const name = `handler=${handler(request.url)}`;
  request.resume();
  response.writeHead(200, { "X-Handler": name });
  response.end(name);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
