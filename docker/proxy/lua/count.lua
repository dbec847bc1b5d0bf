-- Counts an answer by the name of the client's key, which is empty where there is none, and status.

ngx.shared.answers:incr((ngx.var.client or "") .. " " .. ngx.var.status, 1, 0)
