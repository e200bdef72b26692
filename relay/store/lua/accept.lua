-- include triple
-- Remember one alert: idempotent by alert id, and commuting with a Cancel, Update or approval that came before it.
-- KEYS: 1 alert  2 triple  3 k1 (as the first version wrote it)  4 referrers of this alert  5 marks  6 plan  7 bell
--       8 alerts  9 decisions  10.. referrers of every alert that this one refers to
-- ARGV: 1 alert id  2 end of the digest of its content (K2)  3 node  4 journal number  5 state  6 msgType  7 plan score
--       8 received (ms)  9 keep keys for (s)  10 end of the digest of its bytes (K0)
--       11 the server run that it is meant for  12 the name of its memory ('' any): see relay/store/memories.py
--       13.. field, value, ... of the alert
-- Returns {'new' | 'same' | 'conflict', state, other ids with the same triple...} or {'lost', ''}
local id, state = ARGV[1], ARGV[5]
-- After a loss a word comes before what it ends.  If this is not the memory any more that heard the word, the alert waits.
if ARGV[12] ~= '' then
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if run ~= ARGV[11] or redis.call('HGET', KEYS[5], ARGV[3] .. ':name') ~= ARGV[12] then return {'lost', ''} end
end
local seen = tonumber(redis.call('HGET', KEYS[5], ARGV[3]) or 0)
if tonumber(ARGV[4]) > seen then redis.call('HSET', KEYS[5], ARGV[3], ARGV[4]) end

local known = redis.call('HMGET', KEYS[1], 'k2', 'state')
local triple = redis.call('GET', KEYS[2])
if known[1] then
  -- The first version kept the whole digest.
  if string.sub(known[1], -#ARGV[2]) == ARGV[2] then
    triple_add(KEYS[2], triple, id, ARGV[10], ARGV[9])
    return {'same', known[2]}
  end
  return {'conflict', known[2]}
end

local others = triple_ids(triple, redis.call('SMEMBERS', KEYS[3]))
local extra = {}
if state == 'held' or state == 'accepted' then
  -- An accepted one too: the plan may have held it, and then a person rejected it.
  local decision = redis.call('HGET', KEYS[9], id)
  if decision then state = (string.sub(decision, 1, 7) == 'approve') and 'accepted' or 'rejected' end
end
local in_force = state == 'accepted'
-- A held one too: else an approval would send what was cancelled before it came.
if (in_force or state == 'held') and (ARGV[6] == 'Alert' or ARGV[6] == 'Update') then
  for _, referrer in ipairs(redis.call('SMEMBERS', KEYS[4])) do
    local kind, by = string.match(referrer, '^(%S+) (%S+)$')
    if kind == 'Cancel' then
      state, extra = 'cancelled', {'cancelled_by', by}
    elseif kind == 'Update' and state ~= 'cancelled' then
      state, extra = 'superseded', {'superseded_by', by}
    end
  end
end

redis.call('HSET', KEYS[1], 'k2', ARGV[2], 'state', state, unpack(ARGV, 13))
if #extra > 0 then redis.call('HSET', KEYS[1], unpack(extra)) end
triple_add(KEYS[2], triple, id, ARGV[10], ARGV[9])
redis.call('ZADD', KEYS[8], ARGV[8], id)
for i = 10, #KEYS do
  -- What came too late to be sent still silences what it refers to, should that come later still.  What nobody has
  -- approved silences nothing, not even by being cancelled.
  if in_force then
    redis.call('SADD', KEYS[i], ARGV[6] .. ' ' .. id)
    if extra[1] == 'cancelled_by' then redis.call('SADD', KEYS[i], 'Cancel ' .. extra[2]) end
  end
  redis.call('EXPIRE', KEYS[i], ARGV[9])
end
if state == 'accepted' then
  redis.call('ZADD', KEYS[6], ARGV[7], id)
  -- A hundred says that it is P0 or P1 (see relay/fanout/bell.py): whoever hears it makes way before he reads it.
  local urgent = tonumber(ARGV[7]) < 2 ^ 43
  if urgent or redis.call('LLEN', KEYS[7]) < 64 then redis.call('LPUSH', KEYS[7], urgent and '100' or '1') end
end
return {'new', state, unpack(others)}
