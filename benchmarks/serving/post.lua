-- wrk's script: posts the bodies of some files in turn, and prints a line of JSON on the answers.
-- Arguments after "--": the number of clients, the content type, the files.
--
-- wrk's own latencies are not used: after a slow answer it adds those that requests would have had
-- that were not sent ("coordinated omission"). On a busy machine that doubles the mean.

local ffi = require("ffi")
ffi.cdef([[
  typedef struct { long seconds, nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]])
local MONOTONIC = 1
local now = ffi.new("moment")

local function seconds()
  ffi.C.clock_gettime(MONOTONIC, now)
  return tonumber(now.seconds) + tonumber(now.nanoseconds) / 1e9
end

-- What `done` reads of a thread has to be global.
function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = arguments[2]
  lone, bodies, sent = arguments[1] == "1", {}, 0
  for i = 3, #arguments do
    local file = assert(io.open(arguments[i], "rb"))
    bodies[#bodies + 1] = wrk.format(nil, nil, nil, file:read("*a"))
    file:close()
  end
  started, last, not_200, answered, latencies = seconds(), 0, 0, 0, {}
end

function request()
  sent, asked = sent + 1, seconds()
  return bodies[sent % #bodies + 1]
end

function response(status)
  last, answered = seconds(), answered + 1
  if status ~= 200 then
    not_200 = not_200 + 1
  end
  if lone then -- otherwise the latest request may be another client's
    latencies[answered] = last - asked
  end
end

function setup(thread)
  worker = thread -- the only one
end

function done(summary)
  local errors, taken = summary.errors, worker:get("latencies")
  table.sort(taken)
  local function percentile(share)
    local value = taken[math.max(1, math.ceil(share * #taken))]
    return value and string.format("%.9f", value) or "null"
  end
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "not_200": %d, "socket_errors": %d, "p50": %s, "p99": %s}',
    worker:get("answered"), math.max(0, worker:get("last") - worker:get("started")),
    worker:get("not_200"), errors.connect + errors.read + errors.write + errors.timeout,
    percentile(0.5), percentile(0.99)))
end
