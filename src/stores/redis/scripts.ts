/**
 * The store contract in Redis's Lua. Redis runs a script atomically and provides the clock. A record is one string, which Redis deletes
 * when its retention and its lease have expired:
 *
 * ```text
 * processing 1 0 1769860800000 1769860855000 1770206400000  state, attempt, releasedAttempts, countedAt, leaseUntil, retainUntil
 * 0f3c…-17                                                  the token
 * "count"                                                   the names of completed handlers as JSON, one per line
 * ```
 */

/**
 * Runs operations in their order. A failed operation doesn't affect the others. KEYS: the record of each operation. ARGV, six for each
 * operation: its name, token, the names of completed handlers as JSON (one per line), retainUntil, leaseMs, attemptGapMs. Replies with one
 * text per operation:
 *
 * ```text
 * claim, reclaim (also claims a quarantined record)
 *   done
 *   busy 1769860855000 1          until, attempt
 *   claimed 2 1                   attempt, releasedAttempts
 *   "count"                       the names of completed handlers as JSON, one per line
 * renew, complete, quarantine, release, retract (a release that isn't counted)
 *   1 or 0                        whether the token holds the record
 * any operation
 *   error WRONGTYPE …             Redis's message
 * ```
 */
export const RUN_OPERATIONS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function later(one, other)
  return tonumber(one) > tonumber(other) and one or other
end

-- Unchanged numbers stay strings, because converting numbers to strings is the slowest part.
local function read(key)
  local text = redis.call('GET', key)
  if not text then return nil end
  local record = {}
  record.state, record.attempt, record.releasedAttempts, record.countedAt, record.leaseUntil, record.retainUntil, record.token,
    record.completedHandlers = string.match(text, '^(%l+) (%d+) (%d+) (%d+) (%d+) (%d+)\\n([^\\n]*)\\n(.*)$')
  if not record.state then error('CORRUPT the value of this key is not a record of a delivery', 0) end
  return record
end

local function write(key, record)
  local numbers = record.attempt .. ' ' .. record.releasedAttempts .. ' ' .. record.countedAt
  local text = record.state .. ' ' .. numbers .. ' ' .. record.leaseUntil .. ' ' .. record.retainUntil .. '\\n'
    .. record.token .. '\\n' .. record.completedHandlers
  redis.call('SET', key, text, 'PXAT', later(record.retainUntil, record.leaseUntil))
end

local function addCompletedHandlers(record, names)
  for line in string.gmatch(names, '[^\\n]+\\n') do
    local isKnown = string.find('\\n' .. record.completedHandlers, '\\n' .. line, 1, true)
    if not isKnown then record.completedHandlers = record.completedHandlers .. line end
  end
end

local function readHeld(key, token)
  local record = read(key)
  return record and record.state == 'processing' and record.token == token and record
end

local newLeaseMs, newLeaseUntil, newRecord

local function claim(key, token, retainUntil, leaseMs, attemptGapMs, isReclaim)
  if leaseMs ~= newLeaseMs then
    newLeaseMs, newLeaseUntil = leaseMs, now + leaseMs
    newRecord = 'processing 1 0 ' .. now .. ' ' .. newLeaseUntil .. ' '
  end
  -- Most deliveries are new. They skip the code below.
  local expireAt = newLeaseUntil > tonumber(retainUntil) and newLeaseUntil or retainUntil
  local isNew = redis.call('SET', key, newRecord .. retainUntil .. '\\n' .. token .. '\\n', 'NX', 'PXAT', expireAt)
  if isNew then return 'claimed 1 0\\n' end
  local record = read(key)
  -- Redis deletes expired records, so a finished record needs no check of the time.
  if record.state == 'done' or record.state == 'quarantined' and not isReclaim then return 'done' end
  local isHeld = record.state == 'processing' and record.token ~= token and tonumber(record.leaseUntil) > now
  if isHeld and now - record.countedAt < tonumber(attemptGapMs) then return 'busy ' .. record.leaseUntil .. ' ' .. record.attempt end
  local isRepeated = record.state == 'processing' and record.token == token
  if not isRepeated then record.attempt, record.countedAt = record.attempt + 1, now end
  if not isHeld then
    record.state, record.token, record.leaseUntil = 'processing', token, newLeaseUntil
    record.retainUntil = later(record.retainUntil, retainUntil)
  end
  write(key, record)
  if isHeld then return 'busy ' .. record.leaseUntil .. ' ' .. record.attempt end
  return 'claimed ' .. record.attempt .. ' ' .. record.releasedAttempts .. '\\n' .. record.completedHandlers
end

local function finish(key, token, names, retainUntil, state)
  local record = read(key)
  if not record or record.token ~= token or record.state == 'released' then return '0' end
  if record.state == 'processing' then
    record.state = state
    addCompletedHandlers(record, names)
  end
  record.leaseUntil, record.retainUntil = '0', later(record.retainUntil, retainUntil)
  write(key, record)
  return '1'
end

local function release(key, token, names, counted)
  local record = readHeld(key, token)
  if not record then return '0' end
  record.state, record.leaseUntil = 'released', '0'
  record.releasedAttempts, record.attempt = record.releasedAttempts + counted, record.attempt - (1 - counted)
  addCompletedHandlers(record, names)
  write(key, record)
  return '1'
end

local operations = {}

function operations.claim(key, token, _, retainUntil, leaseMs, attemptGapMs)
  return claim(key, token, retainUntil, leaseMs, attemptGapMs, false)
end

function operations.reclaim(key, token, _, retainUntil, leaseMs, attemptGapMs)
  return claim(key, token, retainUntil, leaseMs, attemptGapMs, true)
end

function operations.renew(key, token, names, _, leaseMs)
  local record = readHeld(key, token)
  if not record then return '0' end
  record.leaseUntil = now + leaseMs
  addCompletedHandlers(record, names)
  write(key, record)
  return '1'
end

function operations.complete(key, token, _, retainUntil)
  local text = redis.call('GET', key)
  -- Most records are still as their claim wrote them. They skip the slower way below.
  local claimed = ' ' .. retainUntil .. '\\n' .. token .. '\\n'
  if text and string.find(text, '^processing') and string.find(text, claimed, 1, true) then
    redis.call('SET', key, 'done' .. string.sub(text, 11), 'PXAT', retainUntil)
    return '1'
  end
  return finish(key, token, '', retainUntil, 'done')
end

function operations.quarantine(key, token, names, retainUntil)
  return finish(key, token, names, retainUntil, 'quarantined')
end

function operations.release(key, token, names)
  return release(key, token, names, 1)
end

function operations.retract(key, token, names)
  return release(key, token, names, 0)
end

local replies = {}
for index, key in ipairs(KEYS) do
  local isOk, reply = pcall(operations[ARGV[6 * index - 5]], key, unpack(ARGV, 6 * index - 4, 6 * index))
  replies[index] = isOk and reply or 'error ' .. (type(reply) == 'table' and reply.err or tostring(reply))
end
return replies
`

/** Replies with the `maxmemory-policy`, or with an empty text if reading it isn't allowed. KEYS: any key, for the choice of the node. */
export const READ_POLICY = `
local memory = redis.pcall('INFO', 'memory')
return type(memory) == 'string' and string.match(memory, 'maxmemory_policy:([%w-]+)') or ''
`

/** KEYS: index, entries. ARGV: key, entry. The index keeps the entries in order. */
export const PUT_ENTRY = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`

/** KEYS: index, entries. ARGV: key. Replies with the entry or nil. */
export const GET_ENTRY = `return redis.call('HGET', KEYS[2], ARGV[1])`

/** KEYS: index, entries. Replies with the number of entries. */
export const COUNT_ENTRIES = `return redis.call('HLEN', KEYS[2])`

/** KEYS: index, entries. ARGV: the key to start after, limit. Replies with entries in the order of their keys. */
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
