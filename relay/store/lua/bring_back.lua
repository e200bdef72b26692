-- include triple
-- Make an archived alert known again, from blobs that stand in the store already; what is known stays as it is.
-- KEYS: 1 alert  2 triple  3 alerts  4 legs, then for each leg: leg, and its blobs
-- ARGV: 1 alert id  2 received (ms)  3 keep keys for (s)  4 end of the digest of its bytes (K0)
--       5 number of fields and values of the alert, field, value, ...; then the number of legs, and for each: leg id, packed cursor, number of keys, number of fields and values,
--       field, value, ...
-- Returns 'back' | 'known' | 'lost' (a blob went meanwhile: bring it back again)
local known = redis.call('HMGET', KEYS[1], 'state', 'archived')
if known[1] and not known[2] then return 'known' end
for i = 5, #KEYS do
  if string.find(KEYS[i], ':l:', 1, true) == nil and redis.call('EXISTS', KEYS[i]) == 0 then return 'lost' end
end
local a = 5
local fields = tonumber(ARGV[a])
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, a + 1, a + fields))
a = a + 1 + fields
triple_add(KEYS[2], redis.call('GET', KEYS[2]), ARGV[1], ARGV[4], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
local legs, k = tonumber(ARGV[a]), 5
a = a + 1
for _ = 1, legs do
  local keys, count = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  redis.call('HSET', KEYS[4], ARGV[a], ARGV[a + 1])
  redis.call('HSET', KEYS[k], unpack(ARGV, a + 4, a + 3 + count))
  for i = k + 1, k + keys - 1 do redis.call('PERSIST', KEYS[i]) end
  k, a = k + keys, a + 4 + count
end
return 'back'
