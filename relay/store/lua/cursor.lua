-- A leg's cursor, packed into one field of the hash of legs: version, class, flags, people, total, segments,
-- next segment, next position, leased chunks, then expires and start (ms), then the size of each segment (u16).
local CURSOR = '<BBBBI4I4I4I4I4dd'
local CURSOR_BYTES = 40
local STOPPED = 7 -- 1 cancelled, 2 superseded, 4 expired; 8 is "sent again after a loss"
local EXPIRED = 4

local function read_cursor(packed)
  local c = {}
  c.version, c.class, c.flags, c.people, c.total, c.segments, c.segment, c.position, c.leased, c.expires, c.start =
    struct.unpack(CURSOR, packed)
  c.sizes = string.sub(packed, CURSOR_BYTES + 1)
  return c
end

local function write_cursor(c)
  return struct.pack(CURSOR, c.version, c.class, c.flags, c.people, c.total, c.segments, c.segment, c.position,
    c.leased, c.expires, c.start) .. c.sizes
end

local function size_of(c, segment)
  return (struct.unpack('<H', c.sizes, segment * 2 + 1))
end

local function stopped(c)
  return bit.band(c.flags, STOPPED) ~= 0
end

local function milliseconds()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A server that took over, or came back, may have forgotten the last claims and settles of the one before.  Workers that
-- live tell it again; of those that died nobody can.  So what is sent soon afterwards, of what was there before, has a
-- label, whoever had sent it or not.
local AGAIN = 8
local DOUBTED = 60000 -- for so long (ms) after a change of the server
local CLOCKS = 2000 -- other machines' clocks may be so far ahead (ms)

local function doubted(changed, begun, now)
  changed = tonumber(changed)
  return changed and now < changed + DOUBTED and begun < changed + CLOCKS
end
