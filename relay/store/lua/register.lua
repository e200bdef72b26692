-- Note which deliveries a provider's ids belong to, and hand out the receipts that came before.
-- KEYS: 1 count of the day  2 legs of the day  3 early receipts of this hour  4 of the hour before
--       5 ids under their whole names  6… buckets
-- ARGV: 1 the generation begins at this count  2 and ends at this one  3 leg id  4 its number ('' not known)
--       5 bytes of a value  6 which bucket each id goes to (u16 each, from 0)  7 fields (7 bytes each)  8 values
--       9 seconds to keep  10… the ids
-- Returns {count}: the generation is another one, nothing was done; else {count, number of the leg, receipts}
local count = tonumber(redis.call('GET', KEYS[1]) or 0)
if count < tonumber(ARGV[1]) or count >= tonumber(ARGV[2]) then return {count} end
local leg, number, width = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
-- The number may be of a list that was lost: then it means nothing here, or another leg.
if not number or redis.call('LINDEX', KEYS[2], number) ~= leg then number = redis.call('RPUSH', KEYS[2], leg) - 1 end
-- The length of a value says how it is read (find_id.lua): 3 = 1 + 2 bytes, 4 = 2 + 2, 5 = 2 + 3, 6 = 4 + 2, 7 = 4 + 3,
-- 8 = 2 + 6, 10 = 4 + 6.
local head = struct.pack(number < 256 and width == 2 and 'B' or number < 65536 and '<I2' or '<I4', number)
local ids = {unpack(ARGV, 10)}
for i, id in ipairs(ids) do
  local key = KEYS[6 + struct.unpack('<I2', ARGV[6], i * 2 - 1)]
  local field = string.sub(ARGV[7], i * 7 - 6, i * 7)
  local value = head .. string.sub(ARGV[8], (i - 1) * width + 1, i * width)
  if redis.call('HSETNX', key, field, value) == 0 and redis.call('HGET', key, field) ~= value then
    -- Another id of the same hash, or the provider uses an id again: this one goes under its whole name.
    redis.call('HSET', KEYS[5], id, value)
  end
end
count = redis.call('INCRBY', KEYS[1], #ids)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[9], 'NX') end
local early, before = redis.call('HMGET', KEYS[3], unpack(ids)), redis.call('HMGET', KEYS[4], unpack(ids))
for i = 1, #ids do early[i] = early[i] or before[i] end
return {count, number, early}
