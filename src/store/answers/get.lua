-- An answer, if it is still fresh: none of its tags was bumped after it began to be read.
-- KEYS[1]: the moments of all bumps, a hash: of each slot by its number; `clock`, the last of all; `floor`, before which nothing is known.
-- KEYS[2]: the answer, a hash: `began`, `slots`, `body`, and `known`, the clock at which it was found fresh last.
-- Gives how it was (0: there is none, 1: fresh, 2: stale), the clock and, of a fresh one, slots and body.
local clock = redis.call('HGET', KEYS[1], 'clock')
if not clock then
    -- New, or lost: moments go on from the time, so that they are later than any before.
    local time = redis.call('TIME')
    clock = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], 'clock', clock, 'floor', clock)
end
local answer = redis.call('HMGET', KEYS[2], 'began', 'known', 'slots')
if not answer[1] then
    return {0, clock, false, false}
end
if answer[2] ~= clock then
    local began = tonumber(answer[1])
    local names = {'floor'}
    for slot in string.gmatch(answer[3], '%d+') do
        names[#names + 1] = slot
    end
    for _, bump in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
        if bump and tonumber(bump) > began then
            redis.call('DEL', KEYS[2])
            return {2, clock, false, false}
        end
    end
    redis.call('HSET', KEYS[2], 'known', clock)
end
return {1, clock, answer[3], redis.call('HGET', KEYS[2], 'body')}
