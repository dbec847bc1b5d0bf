-- The SHA-256 of the key that a request brings, in hexadecimal; nothing if it brings none.

local ffi = require "ffi"

-- Of OpenSSL, which nginx has loaded. Declared once: LuaJIT keeps every declaration, and has room
-- for some thousands.
if not pcall(function() return ffi.C.SHA256 end) then
    ffi.cdef "unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *hash);"
end
local hash = ffi.new("unsigned char[32]")

local sent = ngx.var.http_authorization or ""
local key = string.match(sent, "^[Bb][Ee][Aa][Rr][Ee][Rr] +([%w._~+/=-]+) *$")
if not key then
    return ""
end
ffi.C.SHA256(key, #key, hash)
return (string.gsub(ffi.string(hash, 32), ".", function(byte)
    return string.format("%02x", string.byte(byte))
end))
