-- wrk sends the file named by its first argument as JSON with every request. Setting these (and no `request` function) lets wrk
-- format the request once: Lua running for each of them would be load on the core that the origin runs on.
function init(args)
   local file = assert(io.open(args[1], "rb"))
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   wrk.body = file:read("*a")
   file:close()
end
