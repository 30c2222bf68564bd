-- wrk sends the reading of `reading.json`, whose path is its only argument, with every request.
function init(args)
   local file = assert(io.open(args[1], "rb"))
   local body = file:read("*a")
   file:close()
   -- Formatted once: building the text for each request would be load on the core that the origin runs on.
   request_text = wrk.format("POST", nil, {
      ["Host"] = wrk.headers["Host"],
      ["Content-Type"] = "application/json",
   }, body)
end

function request()
   return request_text
end
