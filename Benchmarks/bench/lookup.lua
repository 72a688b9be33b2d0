-- wrk: GET of a loaded file chosen anew for every request. Arguments: how many are loaded, an Authorization header.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(arguments)
    math.randomseed(number + 1)
    count = tonumber(arguments[1])
    headers = { ["Authorization"] = arguments[2] }
end

function request()
    local chosen = math.random(0, count - 1)
    local path = string.format("/api/files/loaded/%05d/%08d.txt", math.floor(chosen / 1000), chosen)
    return wrk.format("GET", path, headers)
end
