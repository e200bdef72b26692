-- include cursor
-- Make the legs of a plan claimable, all at once; doing it twice changes nothing.
-- KEYS: 1 legs  2 alert  3 planning  4 checks  5 run  6 alerts, then for each leg: leg, ready, bell; then the segments
--       that come along; then pairs: segment as this planner wrote it, its final name
-- ARGV: 1 alert id  2 now (ms)  3 recipients  4 deliveries  5 state when there is nobody  6 reason then
--       7 pass (0 is the plan, later ones add what was leased before)  8 what still waits ('' nothing)
--       9 number of legs  10 number of segments that come along, then these  .. for each leg: leg id, packed cursor,
--       expires (ms), number of fields and values, field, value, ...
-- Returns 'active' | 'already' | 'lost' (segments are gone: plan again) | the state that forbids it
local facts = redis.call('HMGET', KEYS[2], 'state', 'pass', 'legs')
local state, pass = facts[1], tonumber(facts[2] or -1)
local legs = tonumber(ARGV[9])
local along = tonumber(ARGV[10])
local along_from = 7 + 3 * legs
local pairs_from = along_from + along
for i = pairs_from, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 0 then return 'lost' end
end
if ARGV[8] == '' then redis.call('ZREM', KEYS[3], ARGV[1]) end
if not state then return 'unknown' end
if pass >= tonumber(ARGV[7]) then return 'already' end
if pass < 0 and state ~= 'accepted' then return state end
if pass >= 0 and state ~= 'active' and state ~= 'completed' then return state end
-- Only now: a planner that comes too late must not change who is behind the ranks of a leg that is being sent.
for i = pairs_from, #KEYS, 2 do
  redis.call('RENAME', KEYS[i], KEYS[i + 1])
  redis.call('PERSIST', KEYS[i + 1])
end
for i = 1, along do redis.call('SET', KEYS[along_from + i - 1], ARGV[10 + i]) end
redis.call('HSET', KEYS[2], 'pass', ARGV[7], 'waits', ARGV[8], 'planned', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'recipients', ARGV[3])
redis.call('HINCRBY', KEYS[2], 'deliveries', ARGV[4])
local open = redis.call('HINCRBY', KEYS[2], 'legs_open', legs)
local NEVER = 2 ^ 50 -- a leg that was never served goes before all that were, and behind older ones
local ids, a = {}, 11 + along
-- A plan that another server had, and this one never heard of, may have been sent from there.
local changed = redis.call('HGET', KEYS[5], 'changed')
local again = changed and doubted(changed, tonumber(redis.call('ZSCORE', KEYS[6], ARGV[1]) or 0), milliseconds())
if facts[3] and facts[3] ~= '' then ids[1] = facts[3] end
for i = 1, legs do
  local k = 7 + (i - 1) * 3
  local id, packed, expires, count = ARGV[a], ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3])
  ids[#ids + 1] = id
  redis.call('HSET', KEYS[k], unpack(ARGV, a + 4, a + 3 + count))
  local cursor = read_cursor(packed)
  if again then
    cursor.flags = bit.bor(cursor.flags, AGAIN)
    packed = write_cursor(cursor)
  end
  redis.call('HSET', KEYS[1], id, packed)
  redis.call('ZADD', KEYS[k + 1], tonumber(ARGV[2]) - NEVER, id)
  redis.call('ZADD', KEYS[4], expires, id)
  -- One ring wakes one worker: as many as the leg has full chunks to share.
  local rings = math.min(64, math.ceil(cursor.total / 500))
  for _ = redis.call('LLEN', KEYS[k + 2]) + 1, rings do redis.call('LPUSH', KEYS[k + 2], '1') end
  a = a + 4 + count
end
redis.call('HSET', KEYS[2], 'legs', table.concat(ids, ','))
if open > 0 or ARGV[8] ~= '' then
  redis.call('HSET', KEYS[2], 'state', 'active')
  return 'active'
end
if #ids == 0 then
  redis.call('HSET', KEYS[2], 'state', ARGV[5], 'reason', ARGV[6], 'done', ARGV[2])
  return ARGV[5]
end
redis.call('HSET', KEYS[2], 'state', 'completed', 'done', ARGV[2])
return 'completed'
