-- wrk: every request PUTs 1 KiB of its own to a name of its own. Arguments: a run id, an Authorization header.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(arguments)
    run = arguments[1]
    counter = 0
    headers = { ["Authorization"] = arguments[2], ["Content-Type"] = "application/octet-stream" }
    filler = string.rep("x", 1024)
end

function request()
    counter = counter + 1
    local name = string.format("%s-%d-%d", run, number, counter)
    local path = string.format("/api/files/put/%s/%d/%s", run, counter / 1000, name)
    return wrk.format("PUT", path, headers, name .. string.sub(filler, #name + 1))
end
