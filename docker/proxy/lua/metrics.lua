-- Tells a Prometheus what count.lua has counted.

local lines = {
    "# HELP rvae_proxy_requests_total Answers to clients, by the name of the key and the status.",
    "# TYPE rvae_proxy_requests_total counter",
}
local answers = ngx.shared.answers
local keys = answers:get_keys(0)
table.sort(keys)
for _, key in ipairs(keys) do
    local client, code = key:match("^(.*) (%d+)$")
    local labels = string.format('client="%s",code="%s"', client, code)
    lines[#lines + 1] = "rvae_proxy_requests_total{" .. labels .. "} " .. answers:get(key)
end
local name = "rvae_proxy_certificate_expires_timestamp_seconds"
lines[#lines + 1] = "# HELP " .. name .. " When the certificate expires, in seconds since 1970."
lines[#lines + 1] = "# TYPE " .. name .. " gauge"
lines[#lines + 1] = name .. " " .. ngx.var.certificate_expires
ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
ngx.print(table.concat(lines, "\n"), "\n")
