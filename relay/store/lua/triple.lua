-- The alerts of one triple are one text, a line each: alert id, tab, the end of the digest of its bytes (K0).  An
-- alert that came in other bytes again has a line for those too.
local MOST_BYTES = 4096

-- `old` are those that the first version wrote.
local function triple_ids(text, old)
  local ids, seen = {}, {}
  for id in string.gmatch(text or '', '([^\n\t]+)\t[^\n]*') do
    if not seen[id] then ids[#ids + 1] = id end
    seen[id] = true
  end
  for _, id in ipairs(old) do
    if not seen[id] then ids[#ids + 1] = id end
  end
  return ids
end

local function triple_owner(text, digest)
  for id, known in string.gmatch(text or '', '([^\n\t]+)\t([^\n]*)') do
    if known == digest then return id end
  end
end

-- Note an alert; `keep` in seconds.  What came in very many different bytes is known by its content.
local function triple_add(key, text, id, digest, keep)
  local line = id .. '\t' .. digest
  if not text then
    text = line
  elseif #text < MOST_BYTES and triple_owner(text, digest) ~= id then
    text = text .. '\n' .. line
  end
  redis.call('SET', key, text, 'EX', keep)
end

local function triple_remove(key, id)
  local kept = {}
  for line in string.gmatch(redis.call('GET', key) or '', '[^\n]+') do
    if string.match(line, '^[^\t]+') ~= id then kept[#kept + 1] = line end
  end
  if #kept == 0 then redis.call('DEL', key) else redis.call('SET', key, table.concat(kept, '\n'), 'KEEPTTL') end
end
