-- Take legs that are due to be reconciled, and put them off so that nobody else takes them meanwhile.
-- KEYS: 1 checks
-- ARGV: 1 put off by (ms)  2 most
-- Returns leg ids
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), id) end
return ids
