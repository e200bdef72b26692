-- Let a Cancel or Update silence alerts of another sender, which live in another partition than it does.
-- KEYS: 1.. referrers of each of those alerts
-- ARGV: 1 '<msgType> <alert id>'  2 keep for (s)
-- Returns nothing
for i = 1, #KEYS do
  redis.call('SADD', KEYS[i], ARGV[1])
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
