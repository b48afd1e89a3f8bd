-- One step of domain::rate::Quota, in whole microseconds.
-- KEYS[1]: the key, whose value is the theoretical arrival time, in microseconds since 1970.
-- ARGV: now; what the step adds to what is taken (some places, or less than none to give them back); one place; all places.
-- Gives what is taken then; where that would be more than all places, nothing is written.
local now, step, every, whole = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lead = tonumber(redis.call('GET', KEYS[1]) or now) - now
if lead > 2 * whole then
    lead = whole - every
end
local taken = math.max(math.max(lead, 0) + step, 0)
if step > 0 and taken > whole then
    return taken
end
if taken == 0 then
    redis.call('DEL', KEYS[1])
else
    -- A minute more, since Redis has another clock. Without a format, Lua would round a number of this size.
    redis.call('SET', KEYS[1], string.format('%.0f', now + taken), 'PX', math.ceil(taken / 1000) + 60000)
end
return taken
