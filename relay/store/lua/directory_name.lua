-- The directory's name, and whether this server's directory was compared with the nodes' copies since it took over.
-- KEYS: 1 epoch  2 run: the server run whose directory was compared ('id'), one that was not yet ('next'), and until
--       when that is waited for
-- ARGV: 1 how long that is waited for (ms)  2 declare it compared (0 | 1)
-- Returns {name ('' none), 1 when it was compared, or need not be any more}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local name = redis.call('GET', KEYS[1]) or ''
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local run = redis.call('HMGET', KEYS[2], 'id', 'next', 'until')
if run[1] == server then return {name, 1} end
if run[1] and ARGV[2] == '0' then
  if run[2] ~= server then
    run[3] = now + tonumber(ARGV[1])
    redis.call('HSET', KEYS[2], 'next', server, 'until', run[3])
  end
  -- When no node comes to compare, what is here is better than nothing.
  if now < tonumber(run[3]) then return {name, 0} end
end
redis.call('HSET', KEYS[2], 'id', server)
redis.call('HDEL', KEYS[2], 'next', 'until')
return {name, 1}
