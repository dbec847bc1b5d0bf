-- Whether the server is ready, without the reasons that it tells.

ngx.req.discard_body()
local answer = ngx.location.capture("/.health")
local ready = answer.status == 200
local words = {
    ["/ping"] = '{"status":"' .. (ready and "Healthy" or "Unhealthy") .. '"}',
    ["/v2/health/live"] = '{"live":' .. tostring(ready) .. "}",
    ["/v2/health/ready"] = '{"ready":' .. tostring(ready) .. "}",
}
local body = words[ngx.var.uri]
ngx.status = ready and 200 or 503
ngx.header["Content-Length"] = #body
if not ready then
    ngx.header["Retry-After"] = "1"
end
ngx.print(body)
