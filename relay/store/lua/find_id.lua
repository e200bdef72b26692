-- Find the delivery of a provider's id: the newest day and generation first, a whole name before a hash.
-- KEYS: for each day its count, its legs, its ids under their whole names, then its buckets for the id, the newest
--       generation first
-- ARGV: 1 field of the hash  2 the id  3… how many buckets are asked of each day
-- Returns {counts of the days} or {counts of the days, leg id, value without the leg}
local HEADS = {[3] = 1, [4] = 2, [5] = 2, [6] = 4, [7] = 4, [8] = 2, [10] = 4}
local counts, found = {}, false
local at = 1
for day = 3, #ARGV do
  local last = at + 2 + tonumber(ARGV[day])
  local count = tonumber(redis.call('GET', KEYS[at]) or 0)
  counts[#counts + 1] = count
  if count > 0 and not found then
    local value = redis.call('HGET', KEYS[at + 2], ARGV[2])
    local bucket = at + 2
    while not value and bucket < last do
      bucket = bucket + 1
      value = redis.call('HGET', KEYS[bucket], ARGV[1])
    end
    if value then
      local head = HEADS[#value]
      local leg = redis.call('LINDEX', KEYS[at + 1], (struct.unpack('<I' .. head, value)))
      if leg then found = {leg, string.sub(value, head + 1)} end
    end
  end
  at = last + 1
end
if not found then return {counts} end
return {counts, found[1], found[2]}
