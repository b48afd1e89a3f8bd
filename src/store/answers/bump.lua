-- Bumps slots, and tells everybody.
-- KEYS[1]: the moments of all bumps, as in get.lua. ARGV: the channel, then the slots.
-- Gives the moment.
local clock = redis.call('HGET', KEYS[1], 'clock')
if clock then
    clock = string.format('%.0f', clock + 1)
else
    local time = redis.call('TIME')
    clock = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], 'floor', clock)
end
local moments = {'clock', clock}
for at = 2, #ARGV do
    moments[#moments + 1] = ARGV[at]
    moments[#moments + 1] = clock
end
redis.call('HSET', KEYS[1], unpack(moments))
redis.call('PUBLISH', ARGV[1], clock .. ' ' .. table.concat(ARGV, ' ', 2))
return clock
