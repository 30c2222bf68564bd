// Express as most people run it: paths in any case, with or without a trailing slash.
const express = require("express");

const app = express();
const say = (name) => (request, response) => response.set("X-Handler", `handler=${name}`).send(`handler=${name}`);
app.all("/admin", say("admin"));
app.use(say("other"));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
