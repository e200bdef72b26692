-- include cursor
-- End a stopped or expired leg without touching its records: what waits is read as the given state from now on.
-- What another server, or an emptied one, may have known of it was possibly sent.
-- KEYS: 1 legs  2 leg  3 alert  4 run
-- ARGV: 1 leg id  2 state (number)
-- Returns 'closed' | 'leased' | 'running' | 'unknown'
local packed = redis.call('HGET', KEYS[1], ARGV[1])
if not packed then return 'unknown' end
local now = milliseconds()
local cursor = read_cursor(packed)
if not stopped(cursor) and cursor.expires <= now then
  cursor.flags = bit.bor(cursor.flags, EXPIRED)
  redis.call('HSET', KEYS[1], ARGV[1], write_cursor(cursor))
end
if not stopped(cursor) then return 'running' end
if cursor.leased > 0 then return 'leased' end
local POSSIBLY_SENT = '13'
local rest = ARGV[2]
if bit.band(cursor.flags, AGAIN) ~= 0 or doubted(redis.call('HGET', KEYS[4], 'changed'), cursor.start, now) then
  rest = POSSIBLY_SENT
end
if redis.call('HSETNX', KEYS[2], 'rest', rest) == 0 then return 'closed' end
local known, retrying, ended = 0, 0, 0
for state = 1, 31 do
  local n = tonumber(redis.call('HGET', KEYS[2], 'n' .. state) or 0)
  known = known + n
  if state == 2 then retrying = n end
end
local waiting = cursor.total - known + retrying
if waiting > 0 then
  redis.call('HINCRBY', KEYS[2], 'n' .. rest, waiting)
  redis.call('HSET', KEYS[2], 'n2', 0)
  ended = redis.call('HINCRBY', KEYS[2], 'ended', waiting)
else
  ended = tonumber(redis.call('HGET', KEYS[2], 'ended') or 0)
end
local unseen = tonumber(rest) == 11 and known == 0
if unseen then redis.call('HINCRBY', KEYS[3], 'legs_unseen', 1) end
if ended >= cursor.total and redis.call('HSETNX', KEYS[2], 'done', now) == 1 then
  if redis.call('HINCRBY', KEYS[3], 'legs_open', -1) <= 0 then
    redis.call('HSET', KEYS[3], 'done', now)
    local alert = redis.call('HMGET', KEYS[3], 'state', 'waits', 'legs', 'legs_unseen')
    if alert[1] == 'active' and (alert[2] or '') == '' then
      -- Expired only if nothing was sent by any leg, whichever of them ends last.
      local _, commas = string.gsub(alert[3] or '', ',', '')
      local nothing = tonumber(alert[4] or 0) > commas
      redis.call('HSET', KEYS[3], 'state', nothing and 'expired' or 'completed')
    end
  end
end
return 'closed'
