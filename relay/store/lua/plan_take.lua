-- Lease the most urgent alert that waits to be planned; a plan whose lease ran out goes before all but a P0.
-- Behind one that is neither P0 nor P1 follow the next in line: they are planned together.
-- KEYS: 1 plan  2 planning
-- ARGV: 1 lease (ms)  2 tell which class waits afterwards (0 | 1): asked for where there are several partitions
--       3 only P0 and P1 (0 | 1)  4 at most this many
-- A score of planning is the end of the lease in ms, and an eighth of a millisecond for each that took it: so the count
-- goes with the job, and begins anew when somebody puts it off, who therefore lives.
-- Returns {0, the bit of the most urgent class that waits now, how many took the first and did not finish it, alert
-- ids...} or {ms until a lease runs out, 0, 0}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local FLASH = 2 ^ 42 -- scores of P0 are below
local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if ARGV[3] == '1' and not (head[2] and tonumber(head[2]) < 2 * FLASH) then return {300000, 0, 0} end
local late = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)
local id, takes = late[1], 0
if not id or ARGV[3] == '1' or (head[2] and tonumber(head[2]) < FLASH) then
  id = head[1]
  if not id then
    local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return {next[2] and math.max(1, tonumber(next[2]) - now) or 300000, 0, 0}
  end
  redis.call('ZREM', KEYS[1], id)
end
if id == late[1] then takes = tonumber(late[2]) % 1 * 8 end
local until_when = now + tonumber(ARGV[1])
local ids = {id}
if id == head[1] and tonumber(head[2]) >= 2 * FLASH and ARGV[4] ~= '1' then
  for _, follower in ipairs(redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[4]) - 2)) do
    redis.call('ZREM', KEYS[1], follower)
    ids[#ids + 1] = follower
  end
end
for _, taken in ipairs(ids) do redis.call('ZADD', KEYS[2], until_when + math.min(takes + 1, 7) / 8, taken) end
local bit_of_next = 0
if ARGV[2] == '1' then
  local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if next[2] then bit_of_next = 2 ^ math.floor(tonumber(next[2]) / FLASH) end
end
return {0, bit_of_next, takes, unpack(ids)}
