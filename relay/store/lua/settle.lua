-- include cursor
-- include merge
-- Record outcomes of one chunk (or receipts, answers and sweeps without a lease) by the merge table.
-- KEYS: 1 legs  2 leg  3 records  4 outcome log  5 leases of the class  6 tokens  7 retries of the class  8 alert  9 checks
--       10 copy of the outcome log
-- ARGV: 1 leg id  2 member ('' without a lease)  3 token  4 final (0 | 1)  5 new end of the lease (ms from now)
--       6 retry at (ms, 0 none)  7 length of the segment  8 positions (u16 each, ascending)  9 records (24 bytes each)
--       10 bytes for the outcome log  11 look again at (ms, 0 none)  12 start of the leg (ms, 0 any)
-- Returns {flags, lease lost (0 | 1), leg done (0 | 1)}; {-1} when the leg is not known here, or was planned again
local id, member = ARGV[1], ARGV[2]
local packed = redis.call('HGET', KEYS[1], id)
if not packed then return {-1} end
local cursor = read_cursor(packed)
if ARGV[12] ~= '0' and tonumber(ARGV[12]) ~= math.floor(cursor.start) then return {-1} end
local now = milliseconds()
local lost = 0
if member ~= '' and redis.call('HGET', KEYS[6], member) ~= ARGV[3] then lost = 1 end

-- A leg that ended tries nothing again: what may have arrived already was possibly sent, not merely cancelled.
local RETRYING, IN_DOUBT, POSSIBLY_SENT = 2, 2, 13
local records = ARGV[9]
if stopped(cursor) or cursor.expires <= now then
  local at = math.max(1, math.floor((now - cursor.start) / 10))
  records = string.gsub(records, string.rep('.', RECORD), function(cell)
    if string.byte(cell, 1) ~= RETRYING or bit.band(string.byte(cell, 6), IN_DOUBT) == 0 then return nil end
    local _, tries, send, channel, reason, flags, answer, route, accepted, _, _, provider = struct.unpack(FORMAT, cell)
    return struct.pack(FORMAT, POSSIBLY_SENT, tries, send, channel, reason, flags, answer, route, accepted, at, 0, provider)
  end)
end

local n = #ARGV[8] / 2
local rest = tonumber(redis.call('HGET', KEYS[2], 'rest') or -1)
local change = {}

local function count(state, by)
  if rest >= 0 and (state == 0 or state == 2) then state = rest end
  if state ~= 0 then change[state] = (change[state] or 0) + by end
end

if n > 0 then
  local first = (struct.unpack('<H', ARGV[8], 1))
  local last = (struct.unpack('<H', ARGV[8], n * 2 - 1))
  local full = tonumber(ARGV[7]) * RECORD
  if redis.call('STRLEN', KEYS[3]) == 0 then redis.call('SETRANGE', KEYS[3], full - 1, '\0') end
  local old = redis.call('GETRANGE', KEYS[3], first * RECORD, last * RECORD + RECORD - 1)
  if last - first + 1 == n and old == string.rep('\0', n * RECORD) then
    -- The usual case: nothing was known of these yet.
    for i = 0, n - 1 do
      count(string.byte(records, i * RECORD + 1), 1)
    end
    if rest >= 0 then change[rest] = (change[rest] or 0) - n end
    redis.call('SETRANGE', KEYS[3], first * RECORD, records)
  else
    for i = 0, n - 1 do
      local at = (struct.unpack('<H', ARGV[8], i * 2 + 1))
      local was = string.sub(old, (at - first) * RECORD + 1, (at - first + 1) * RECORD)
      local merged = merge(was, string.sub(records, i * RECORD + 1, (i + 1) * RECORD))
      if merged ~= was then
        count(string.byte(was, 1), -1)
        count(string.byte(merged, 1), 1)
        redis.call('SETRANGE', KEYS[3], at * RECORD, merged)
      end
    end
  end
  if #ARGV[10] > 0 then redis.call('APPEND', KEYS[4], ARGV[10]) end
end

local ended = 0
for state, by in pairs(change) do
  if by ~= 0 then
    redis.call('HINCRBY', KEYS[2], 'n' .. state, by)
    if state >= TERMINAL then ended = ended + by end
  end
end
if ended ~= 0 then redis.call('HINCRBY', KEYS[2], 'ended', ended) end
-- A word that comes while the leg is being archived must be seen before it is taken out (retire.lua).
if member == '' and n > 0 then redis.call('HINCRBY', KEYS[2], 'late', 1) end

if member ~= '' and lost == 0 then
  if ARGV[4] == '1' then
    -- A string that is appended to is given twice the room it needs; a copy has what it needs.
    if #ARGV[10] > 0 and redis.call('COPY', KEYS[4], KEYS[10], 'REPLACE') == 1 then
      redis.call('RENAME', KEYS[10], KEYS[4])
    end
    redis.call('ZREM', KEYS[5], member)
    redis.call('HDEL', KEYS[6], member)
    cursor.leased = math.max(0, cursor.leased - 1)
    redis.call('HSET', KEYS[1], id, write_cursor(cursor))
    if ARGV[6] ~= '0' and not stopped(cursor) then redis.call('ZADD', KEYS[7], ARGV[6], member) end
    if stopped(cursor) then redis.call('ZADD', KEYS[9], now, id) end
  else
    redis.call('ZADD', KEYS[5], 'XX', now + tonumber(ARGV[5]), member)
  end
end
if ARGV[11] ~= '0' then redis.call('ZADD', KEYS[9], 'LT', ARGV[11], id) end

local facts = redis.call('HMGET', KEYS[2], 'ended', 'done')
local done = 0
if not facts[2] and tonumber(facts[1] or 0) >= cursor.total then
  done = 1
  redis.call('HSET', KEYS[2], 'done', now)
  if redis.call('HINCRBY', KEYS[8], 'legs_open', -1) <= 0 then
    local alert = redis.call('HMGET', KEYS[8], 'state', 'waits')
    if alert[1] == 'active' and (alert[2] or '') == '' then redis.call('HSET', KEYS[8], 'state', 'completed') end
    redis.call('HSET', KEYS[8], 'done', now)
  end
end
return {cursor.flags, lost, done}
