-- A person's word on a held alert; remembered when it comes before the alert.
-- KEYS: 1 alert  2 decisions  3 plan  4 bell  5 marks  6.. referrers of every alert that this one refers to
-- ARGV: 1 alert id  2 'approve' | 'reject'  3 by  4 reason  5 now (ms)  6 plan score  7 msgType  8 node  9 journal number
--       10 keep what refers to other alerts for (s)
-- Returns the state of the alert afterwards, or 'unknown'.
local seen = tonumber(redis.call('HGET', KEYS[5], ARGV[8]) or 0)
if tonumber(ARGV[9]) > seen then redis.call('HSET', KEYS[5], ARGV[8], ARGV[9]) end
local state = redis.call('HGET', KEYS[1], 'state')
-- A word that changes nothing is not remembered either: after a loss it would be the one that counts.
if state and state ~= 'held' then return state end
-- With its time: a word whose alert never comes goes after a while.
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[5])
if not state then return 'unknown' end
state = ARGV[2] == 'approve' and 'accepted' or 'rejected'
redis.call('HSET', KEYS[1], 'state', state, 'decided_by', ARGV[3], 'decision_reason', ARGV[4], 'decided', ARGV[5])
if state == 'accepted' then
  for i = 6, #KEYS do
    redis.call('SADD', KEYS[i], ARGV[7] .. ' ' .. ARGV[1])
    redis.call('EXPIRE', KEYS[i], ARGV[10])
  end
  redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1])
  if redis.call('LLEN', KEYS[4]) < 64 then redis.call('LPUSH', KEYS[4], '1') end
end
return state
