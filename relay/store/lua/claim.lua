-- include cursor
-- Lease one chunk: the worst news first; within a class, recovered leases, due retries, then legs in turn.
-- KEYS: 1 legs  2 turn  3 run  4 tokens  5 checks  6-11 ready  12-17 leases  18-23 retries (P0..P4, PX)
-- ARGV: 1 token  2 fence (ms)  3 most items  4 lease (ms)  5 lease of P0 (ms)
--       6 lowest class allowed (1..6)  7 one claim in this many starts with the lowest class
--       8 tell which classes wait afterwards (0 | 1): asked for where there are several partitions
--       9 what a server stands on that kept all it was told if the one before it stood there too; '' not known
-- Returns {'chunk', how, member, class, flags, start, expires, epoch, now, a bit for each class that waits} | {'idle', wait (ms), epoch} | {'fence', wait, epoch}
-- The epoch changes when another server run answers, or when the partition was emptied.
-- The flags of a chunk have AGAIN besides when what is handed over of it may come twice.
local now = milliseconds()
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local run = redis.call('HMGET', KEYS[3], 'id', 'epoch', 'next', 'until', 'changed', 'ground')
local epoch = (run[2] or ARGV[1]) .. ':' .. server
if not run[1] then
  redis.call('HSET', KEYS[3], 'id', server, 'epoch', ARGV[1])
elseif run[1] ~= server then
  -- Another server run answers: leases given in the last moments of the old one may be forgotten here and
  -- alive in a worker, so nothing is leased until they have run out.
  if run[3] ~= server then
    run[4] = now + tonumber(ARGV[2])
    redis.call('HSET', KEYS[3], 'next', server, 'until', run[4])
    if ARGV[9] == '' or run[6] ~= ARGV[9] then
      run[5] = now
      redis.call('HSET', KEYS[3], 'changed', now)
    end
  end
  if now < tonumber(run[4]) then return {'fence', tonumber(run[4]) - now, epoch} end
  redis.call('HSET', KEYS[3], 'id', server)
  redis.call('HDEL', KEYS[3], 'next', 'until')
end

if (run[6] or '') ~= ARGV[9] then redis.call('HSET', KEYS[3], 'ground', ARGV[9]) end

local function due_in(key)
  return redis.call('ZCOUNT', key, '-inf', now) > 0
end

local function waiting()
  local bits = 0
  for class = 1, 6 do
    if redis.call('EXISTS', KEYS[5 + class]) == 1 or due_in(KEYS[11 + class]) or due_in(KEYS[17 + class]) then
      bits = bits + 2 ^ (class - 1)
    end
  end
  return bits
end

local function grant(how, member, class, cursor)
  local length = tonumber(class == 1 and ARGV[5] or ARGV[4])
  redis.call('ZADD', KEYS[11 + class], now + length, member)
  redis.call('HSET', KEYS[4], member, ARGV[1])
  redis.call('INCR', KEYS[2])
  local bits = ARGV[8] == '1' and waiting() or 0
  local flags = doubted(run[5], cursor.start, now) and bit.bor(cursor.flags, AGAIN) or cursor.flags
  return {'chunk', how, member, class, flags, cursor.start, cursor.expires, epoch, now, bits}
end

local function recovered(class)
  for _ = 1, 16 do
    local member = redis.call('ZRANGEBYSCORE', KEYS[11 + class], '-inf', now, 'LIMIT', 0, 1)[1]
    if not member then return nil end
    local packed = redis.call('HGET', KEYS[1], string.match(member, '^[^|]+'))
    if packed then return grant('again', member, class, read_cursor(packed)) end
    redis.call('ZREM', KEYS[11 + class], member)
    redis.call('HDEL', KEYS[4], member)
  end
end

local function due(class)
  for _ = 1, 16 do
    local member = redis.call('ZRANGEBYSCORE', KEYS[17 + class], '-inf', now, 'LIMIT', 0, 1)[1]
    if not member then return nil end
    redis.call('ZREM', KEYS[17 + class], member)
    local id = string.match(member, '^[^|]+')
    local packed = redis.call('HGET', KEYS[1], id)
    -- A chunk that is leased already keeps its lease: whoever holds it settles the retries too.
    if packed and not redis.call('ZSCORE', KEYS[11 + class], member) then
      local cursor = read_cursor(packed)
      cursor.leased = cursor.leased + 1
      redis.call('HSET', KEYS[1], id, write_cursor(cursor))
      return grant('retry', member, class, cursor)
    end
  end
end

local function fresh(class)
  for _ = 1, 64 do
    local id = redis.call('ZRANGE', KEYS[5 + class], 0, 0)[1]
    if not id then return nil end
    local packed = redis.call('HGET', KEYS[1], id)
    local cursor = packed and read_cursor(packed)
    if cursor and not stopped(cursor) and cursor.expires <= now then
      cursor.flags = bit.bor(cursor.flags, EXPIRED)
      redis.call('HSET', KEYS[1], id, write_cursor(cursor))
    end
    if not cursor or stopped(cursor) or cursor.segment >= cursor.segments then
      redis.call('ZREM', KEYS[5 + class], id)
      if cursor then redis.call('ZADD', KEYS[5], now, id) end
    else
      local from = cursor.position
      local size = size_of(cursor, cursor.segment)
      local to = math.min(size, from + tonumber(ARGV[3]))
      local member = id .. '|' .. cursor.segment .. '|' .. from .. '|' .. to
      cursor.position = to
      if to >= size then cursor.segment, cursor.position = cursor.segment + 1, 0 end
      cursor.leased = cursor.leased + 1
      redis.call('HSET', KEYS[1], id, write_cursor(cursor))
      if cursor.segment >= cursor.segments then
        redis.call('ZREM', KEYS[5 + class], id)
      else
        -- One more than the turns so far: behind every leg that was never served.
        redis.call('ZADD', KEYS[5 + class], (redis.call('GET', KEYS[2]) or 0) + 1, id)
      end
      return grant('fresh', member, class, cursor)
    end
  end
end

local function serve(class)
  return recovered(class) or due(class) or fresh(class)
end

local flash = serve(1)
if flash then return flash end
local lowest = tonumber(ARGV[6])
local turn = tonumber(redis.call('GET', KEYS[2]) or 0) + 1
local order = {2, 3, 4, 5, 6}
if turn % (2 * tonumber(ARGV[7])) == 0 then
  order = {6, 5, 4, 3, 2}
elseif turn % tonumber(ARGV[7]) == 0 then
  order = {5, 6, 4, 3, 2}
end
for _, class in ipairs(order) do
  if class <= lowest then
    local reply = serve(class)
    if reply then return reply end
  end
end

local wait = 300000 -- bells ring for whatever comes sooner
for class = 1, lowest do
  for _, key in ipairs({KEYS[11 + class], KEYS[17 + class]}) do
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] then wait = math.min(wait, math.max(1, tonumber(head[2]) - now)) end
  end
end
return {'idle', wait, epoch}
