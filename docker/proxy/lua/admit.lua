-- Lets a request go on that has a key, and whose body has come whole in its time. nginx itself
-- bounds only the pauses of a body: a byte now and then would never meet that.

if ngx.var.client == "" then
    return ngx.exit(401)
end

local reading = ngx.thread.spawn(function()
    ngx.req.read_body()
end)
local waiting = ngx.thread.spawn(function()
    ngx.sleep(tonumber(ngx.var.body_seconds))
    return "late"
end)
local _, ended = ngx.thread.wait(reading, waiting)
if ended == "late" then
    return ngx.exit(498) -- see errors.conf
end
ngx.thread.kill(waiting)
