-- Find the delivery of a provider's id: the newest day and generation first, a whole name before a hash.
-- KEYS: for each day its count, its legs, its buckets for the id, the newest generation first
-- ARGV: 1 field of the hash  2 field of the whole name  3… how many buckets are asked of each day
-- Returns {counts of the days} or {counts of the days, leg id, value without the leg}
local HEADS = {[3] = 1, [4] = 2, [5] = 2, [6] = 4, [7] = 4, [8] = 2, [10] = 4}
local counts, found = {}, false
local at = 1
for day = 3, #ARGV do
  local last = at + 1 + tonumber(ARGV[day])
  local count = tonumber(redis.call('GET', KEYS[at]) or 0)
  counts[#counts + 1] = count
  if count > 0 and not found then
    for bucket = at + 2, last do
      local values = redis.call('HMGET', KEYS[bucket], ARGV[2], ARGV[1])
      local value = values[1] or values[2]
      if value and not found then
        local head = HEADS[#value]
        local leg = redis.call('LINDEX', KEYS[at + 1], (struct.unpack('<I' .. head, value)))
        if leg then found = {leg, string.sub(value, head + 1)} end
      end
    end
  end
  at = last + 1
end
if not found then return {counts} end
return {counts, found[1], found[2]}
