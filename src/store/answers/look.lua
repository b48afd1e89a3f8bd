-- Looks whether this is still the Redis that has heard of every bump: a replica that took over may lack the last of them, and so may a server that came
-- back with what it had saved. If it may not be, or all shall be forgotten, nothing that began to be read before is fresh any more.
-- KEYS[1]: the moments of all bumps, as in get.lua; `run` is the process that wrote them. ARGV: the channel; the latest moment that the caller has
-- heard of; 1 to forget all.
-- Gives the clock, and whether all was forgotten.
local info = redis.pcall('INFO', 'server')
-- Where an ACL forbids it, the latest moment has to do.
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local known = redis.call('HMGET', KEYS[1], 'clock', 'run')
local clock, latest = tonumber(known[1] or 0), tonumber(ARGV[2])
-- Written also when it stays the same: a server that may not be written to says so, and is not trusted.
redis.call('HSET', KEYS[1], 'run', run)
if known[1] and known[2] == run and clock >= latest and ARGV[3] == '0' then
    return {known[1], 0}
end
-- Later than any moment before, also those that were lost: they are counted on from the time, and slower than it goes.
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000000 + time[2], clock + 1, latest + 1))
redis.call('HSET', KEYS[1], 'clock', now, 'floor', now)
redis.call('PUBLISH', ARGV[1], now .. ' ')
return {now, 1}
