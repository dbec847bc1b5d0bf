-- No client needs to know what this is.

ngx.header["Server"] = nil
