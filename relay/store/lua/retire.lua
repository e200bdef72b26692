-- include cursor
-- include triple
-- Take a finished alert out of the store, once it is on disk; doing it twice changes nothing.
-- KEYS: 1 alert  2 k0  3 k1 (both as the first version wrote them)  4 alerts  5 decisions  6 plan  7 planning  8 legs
--       9 checks  10 lease of the archivist  11 blobs to remove later  12 triple  13.. referrers of every alert that this
--       one refers to; then for each leg: leg, ready, and its blobs
-- ARGV: 1 alert id  2 token of the lease  3 what was read of the alert (see fingerprint)  4 msgType
--       5 seconds for which a short note stays, for other nodes ('0': none)  6 this node
--       7 number of referrers  8 number of legs, then for each leg: leg id, words that came late, number of keys,
--       number of segments whose blobs are removed later, so that no script takes long (0: they are among the keys);
--       then the fields and values of the short note
-- Returns 'gone' | 'lost' (the lease) | 'changed' (since it was read) | 'unknown'
local id = ARGV[1]
if redis.call('GET', KEYS[10]) ~= ARGV[2] then return 'lost' end
local facts = redis.call('HMGET', KEYS[1], 'state', 'legs', 'pass', 'cancelled_by', 'superseded_by', 'back')
if not facts[1] then return 'unknown' end
local said = {}
for i = 1, 6 do said[i] = facts[i] or '' end
if table.concat(said, '|') ~= ARGV[3] then return 'changed' end
local referrers, legs = tonumber(ARGV[7]), tonumber(ARGV[8])
local key = 13 + referrers
for i = 0, legs - 1 do
  local a = 9 + 4 * i
  local packed = redis.call('HGET', KEYS[8], ARGV[a])
  if packed and read_cursor(packed).leased > 0 then return 'changed' end
  if (redis.call('HGET', KEYS[key], 'late') or '') ~= ARGV[a + 1] then return 'changed' end
  key = key + tonumber(ARGV[a + 2])
end

key = 13 + referrers
for i = 0, legs - 1 do
  local a = 9 + 4 * i
  redis.call('HDEL', KEYS[8], ARGV[a])
  redis.call('ZREM', KEYS[9], ARGV[a])
  redis.call('ZREM', KEYS[key + 1], ARGV[a])
  redis.call('UNLINK', KEYS[key])
  for k = key + 2, key + tonumber(ARGV[a + 2]) - 1 do redis.call('UNLINK', KEYS[k]) end
  if ARGV[a + 3] ~= '0' then redis.call('RPUSH', KEYS[11], ARGV[a] .. ' ' .. ARGV[a + 3]) end
  key = key + tonumber(ARGV[a + 2])
end
redis.call('ZREM', KEYS[4], id)
redis.call('HDEL', KEYS[5], id)
redis.call('ZREM', KEYS[6], id)
redis.call('ZREM', KEYS[7], id)
redis.call('DEL', KEYS[10])
if ARGV[5] ~= '0' then
  -- Another node may get the same message once more, or a Cancel of it: it must know that it was told, and by whom.
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.find(name, '^%d+$') then redis.call('HDEL', KEYS[1], name) end
  end
  redis.call('HDEL', KEYS[1], 'raw', 'findings', 'areas', 'note')
  redis.call('HSET', KEYS[1], 'archived', ARGV[6], unpack(ARGV, 9 + 4 * legs))
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
  return 'gone'
end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], id)
triple_remove(KEYS[12], id)
for i = 13, 12 + referrers do redis.call('SREM', KEYS[i], ARGV[4] .. ' ' .. id) end
return 'gone'
