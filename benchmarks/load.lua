-- Sends the requests of a file, one after the other, from every connection; counts statuses.
-- Arguments: the file, the statuses that are right, further headers.
-- A line of the file: method, path, token or "-", content type or "-", body or "-", tab-separated.
local requests = {}
local position = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local expected = {}

function init(args)
  for line in io.lines(args[1]) do
    local method, path, token, kind, body = line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
    local headers = {}
    if token ~= "-" then headers["Authorization"] = "Bearer " .. token end
    if kind ~= "-" then headers["Content-Type"] = kind end
    for index = 3, #args do
      local name, value = args[index]:match("^(.-): (.*)$")
      headers[name] = value
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "-" and body or nil)
  end
  for status in args[2]:gmatch("%d+") do expected[tonumber(status)] = true end
  unexpected = 0
  bytes_in = 0
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function response(status, headers, body)
  if not expected[status] then unexpected = unexpected + 1 end
end

function done(summary, latency, rates)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("unexpected") end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.4f, "unexpected": %d, "errors": %d, "p50": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6, bad,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
