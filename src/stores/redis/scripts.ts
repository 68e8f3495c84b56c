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
 * Runs operations in their order. KEYS: the record of each operation. ARGV, six for each operation: its name, token, the names of completed
 * handlers as JSON (one per line), retainUntil, leaseMs, attemptGapMs. The replies of an operation:
 *
 * ```text
 * claim, reclaim (also claims a quarantined record)
 *   done
 *   busy 1769860855000 1          until, attempt
 *   claimed 2 1                   attempt, releasedAttempts
 *   "count"                       the names of completed handlers as JSON, one per line
 * renew, complete, quarantine, release, retract (a release that isn't counted)
 *   1 or 0                        whether the token holds the record
 * ```
 *
 * Several operations reply with a list. In a list, a failed operation is `error` with Redis's message, and the others still run.
 */
export const RUN_OPERATIONS = `
local now

local function readClock()
  if now then return end
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function later(one, other)
  return tonumber(one) > tonumber(other) and one or other
end

local function run(key, name, token, names, retainUntil, leaseMs, attemptGapMs)
  local text = redis.call('GET', key)
  local isClaim = name == 'claim' or name == 'reclaim'
  -- Most deliveries are new, or still as their claim wrote them, or finished. They skip the code below.
  if not text then
    if not isClaim then return '0' end
    readClock()
    local leaseUntil = now + leaseMs
    local new = 'processing 1 0 ' .. now .. ' ' .. leaseUntil .. ' ' .. retainUntil .. '\\n' .. token .. '\\n'
    redis.call('SET', key, new, 'PXAT', leaseUntil > tonumber(retainUntil) and leaseUntil or retainUntil)
    return 'claimed 1 0\\n'
  end
  -- Redis deletes expired records, so a finished record needs no check of the time.
  if isClaim and string.find(text, '^done ') then return 'done' end
  local claimed = ' ' .. retainUntil .. '\\n' .. token .. '\\n'
  if name == 'complete' and string.find(text, '^processing') and string.find(text, claimed, 1, true) then
    redis.call('SET', key, 'done' .. string.sub(text, 11), 'PXAT', retainUntil)
    return '1'
  end

  -- Unchanged numbers stay strings, because converting numbers to strings is the slowest part.
  local state, attempt, releasedAttempts, countedAt, leaseUntil, retainedUntil, holder, completedHandlers =
    string.match(text, '^(%l+) (%d+) (%d+) (%d+) (%d+) (%d+)\\n([^\\n]*)\\n(.*)$')
  if not state then error('CORRUPT the value of this key is not a record of a delivery', 0) end
  local isHolder = state == 'processing' and holder == token
  local reply = '1'
  readClock()
  if isClaim then
    if state == 'done' or state == 'quarantined' and name == 'claim' then return 'done' end
    local isBusy = state == 'processing' and not isHolder and tonumber(leaseUntil) > now
    if isBusy and now - countedAt < tonumber(attemptGapMs) then return 'busy ' .. leaseUntil .. ' ' .. attempt end
    if not isHolder then attempt, countedAt = attempt + 1, now end
    if isBusy then
      reply = 'busy ' .. leaseUntil .. ' ' .. attempt
    else
      state, holder, leaseUntil, retainedUntil = 'processing', token, now + leaseMs, later(retainedUntil, retainUntil)
      reply = 'claimed ' .. attempt .. ' ' .. releasedAttempts .. '\\n' .. completedHandlers
    end
  elseif name == 'complete' or name == 'quarantine' then
    if holder ~= token or state == 'released' then return '0' end
    if isHolder then state = name == 'complete' and 'done' or 'quarantined' else names = '' end
    leaseUntil, retainedUntil = '0', later(retainedUntil, retainUntil)
  elseif not isHolder then
    local isRepeated = state == 'released' and holder == token and (name == 'release' or name == 'retract')
    return isRepeated and '1' or '0'
  elseif name == 'renew' then
    leaseUntil = now + leaseMs
  else
    state, leaseUntil = 'released', '0'
    if name == 'release' then releasedAttempts = releasedAttempts + 1 else attempt = attempt - 1 end
  end
  for line in string.gmatch(names, '[^\\n]+\\n') do
    local isKnown = string.find('\\n' .. completedHandlers, '\\n' .. line, 1, true)
    if not isKnown then completedHandlers = completedHandlers .. line end
  end
  local head = state .. ' ' .. attempt .. ' ' .. releasedAttempts .. ' ' .. countedAt .. ' ' .. leaseUntil .. ' ' .. retainedUntil
  redis.call('SET', key, head .. '\\n' .. holder .. '\\n' .. completedHandlers, 'PXAT', later(retainedUntil, leaseUntil))
  return reply
end

if #KEYS == 1 then return run(KEYS[1], unpack(ARGV)) end

local replies = {}
for index, key in ipairs(KEYS) do
  local isOk, reply = pcall(run, key, unpack(ARGV, 6 * index - 5, 6 * index))
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
