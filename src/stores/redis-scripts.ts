/**
 * The store contract in Redis' Lua, one script a step: what Redis runs in one piece, with its own clock. A record is one hash, which Redis
 * forgets when its retention and its lease are over. Names of finished handlers are JSON texts, one a line.
 */

/** Reads the record of KEYS[1], and knows how to write it. */
const RECORD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local FIELDS = { 'state', 'token', 'attempt', 'released', 'countedAt', 'leaseUntil', 'retainUntil', 'handlersDone' }

local function read()
  local values = redis.call('HMGET', KEYS[1], unpack(FIELDS))
  if not values[1] then return nil end
  local record = { state = values[1], token = values[2], handlersDone = values[8] }
  for index = 3, 7 do record[FIELDS[index]] = tonumber(values[index]) end
  return record
end

local function write(record)
  local values = {}
  for _, field in ipairs(FIELDS) do
    local value = record[field]
    values[#values + 1] = field
    values[#values + 1] = type(value) == 'number' and string.format('%.0f', value) or value
  end
  redis.call('HSET', KEYS[1], unpack(values))
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.max(record.retainUntil, record.leaseUntil)))
end

local record = read()
`

/** Knows whether the token ARGV[1] holds the record, and how to add the names that ARGV ends with to its finished handlers. */
const HELD = `
local held = record and record.state == 'working' and record.token == ARGV[1]

local function addHandlersDone(first)
  for index = first, #ARGV do
    local line = ARGV[index] .. '\\n'
    local isKnown = string.find('\\n' .. record.handlersDone, '\\n' .. line, 1, true)
    if not isKnown then record.handlersDone = record.handlersDone .. line end
  end
end
`

/** ARGV: token, leaseMs, retainUntil, tryGapMs, rework. Replies what `readClaim` reads. */
export const CLAIM = `${RECORD}
local token, leaseMs, retainUntil, tryGapMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function claimed()
  record.state, record.token, record.leaseUntil = 'working', token, now + leaseMs
  record.retainUntil = math.max(record.retainUntil, retainUntil)
  write(record)
  return { 'claimed', record.attempt, record.released, record.handlersDone }
end

local function count()
  record.attempt, record.countedAt = record.attempt + 1, now
end

if not record or (record.retainUntil <= now and record.leaseUntil <= now) then
  record = { attempt = 1, released = 0, countedAt = now, retainUntil = retainUntil, handlersDone = '' }
  return claimed()
end
if record.state == 'done' or (record.state == 'quarantined' and ARGV[5] == '0') then return { 'done' } end
local isWorking = record.state == 'working'
if isWorking and record.token == token then return claimed() end
if not isWorking or record.leaseUntil <= now then
  count()
  return claimed()
end
if now - record.countedAt >= tryGapMs then
  count()
  write(record)
end
return { 'busy', record.leaseUntil, record.attempt }
`

/** ARGV: token, leaseMs, names. Replies 1 when the token holds the record. */
export const RENEW = `${RECORD}${HELD}
if not held then return 0 end
record.leaseUntil = now + tonumber(ARGV[2])
addHandlersDone(3)
write(record)
return 1
`

/** ARGV: token, `done` or `quarantined`, retainUntil, names. Replies 1 when the token holds the record, or has completed it before. */
export const COMPLETE = `${RECORD}${HELD}
local completed = record and record.state ~= 'working' and record.state ~= 'released' and record.token == ARGV[1]
if not held and not completed then return 0 end
if held then
  record.state, record.leaseUntil = ARGV[2], 0
  addHandlersDone(4)
end
record.retainUntil = math.max(record.retainUntil, tonumber(ARGV[3]))
write(record)
return 1
`

/** ARGV: token, 1 for a counted release and 0 for another, names. Replies 1 when the token holds the record. */
export const RELEASE = `${RECORD}${HELD}
if not held then return 0 end
local counted = tonumber(ARGV[2])
record.state, record.leaseUntil = 'released', 0
record.released, record.attempt = record.released + counted, record.attempt - (1 - counted)
addHandlersDone(3)
write(record)
return 1
`

/** KEYS: index, entries. ARGV: key, entry. The index is there for the order. */
export const PUT_ENTRY = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`

/** KEYS: index, entries. ARGV: key. Replies the entry, or nil. */
export const GET_ENTRY = `return redis.call('HGET', KEYS[2], ARGV[1])`

/** KEYS: index, entries. ARGV: the key after which to begin, how many at most. Replies entries in the order of their keys. */
export const LIST_ENTRIES = `
local first = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local keys = redis.call('ZRANGEBYLEX', KEYS[1], first, '+', 'LIMIT', 0, ARGV[2])
local entries = {}
for index, key in ipairs(keys) do entries[index] = redis.call('HGET', KEYS[2], key) end
return entries
`

/** KEYS: index, entries. ARGV: key. */
export const DISCARD_ENTRY = `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`

/** KEYS: any key of the server that is asked. Replies its maxmemory-policy. */
export const EVICTION_POLICY = `
return string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
`
