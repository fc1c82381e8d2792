/** Which limits a query has, and whose they are. Pure. */
import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import { Fault } from '@postern/protocol/fault.ts'

/** Where nobody says otherwise. */
const TIMEOUT_MS = 600_000

/** Who sets limits: a store, or the caller's token. */
export interface Limiter {
  readonly name: string
  readonly limits: QueryLimits
}

/** One limit with its owner in words: "maxRows 1000 of store shop". */
export interface Bound {
  readonly value: number
  readonly says: string
}

export interface EffectiveLimits {
  readonly timeout: Bound
  /** Somebody chose the timeout: then the database itself is told too, and a node that dies leaves nothing running. */
  readonly timeoutChosen: boolean
  /** What the node is asked for: the result ends there. One more than `rows`, to see that there are more. */
  readonly maxRows: number | undefined
  /** A result with more is cut. Undefined also where the request itself asked for no more than is allowed. */
  readonly rows: Bound | undefined
  readonly bytes: Bound | undefined
}

interface Requested {
  readonly maxRows?: number | undefined
  readonly timeoutMs?: number | undefined
}

export function effectiveLimits(request: Requested, store: Limiter, caller: Limiter): EffectiveLimits {
  const rows = strictest('maxRows', store, caller)
  const asked = request.maxRows
  const within = asked !== undefined && asked <= (rows?.value ?? asked)
  const timeout = timeoutOf(request, store, caller)
  return {
    timeout: timeout ?? { value: TIMEOUT_MS, says: `timeoutMs ${TIMEOUT_MS}, the default` },
    timeoutChosen: timeout !== undefined,
    maxRows: within ? asked : rows && rows.value + 1,
    rows: within ? undefined : rows,
    bytes: strictest('maxBytes', store, caller),
  }
}

export function tooManyRows({ says }: Bound): Fault {
  return new Fault('QUERY_TOO_MANY_ROWS', { at: `The limit is ${says}.` })
}

export function tooLarge({ says }: Bound): Fault {
  return new Fault('QUERY_TOO_LARGE', { at: `The limit is ${says}.` })
}

export function tooLate({ says }: Bound): Fault {
  return new Fault('TIMED_OUT', { at: `The limit is ${says}.` })
}

function timeoutOf(request: Requested, store: Limiter, caller: Limiter): Bound | undefined {
  const bound = strictest('timeoutMs', store, caller)
  const asked = request.timeoutMs
  if (asked === undefined || asked >= (bound?.value ?? Number.POSITIVE_INFINITY)) return bound
  return { value: asked, says: `timeoutMs ${asked} of the request` }
}

function strictest(name: keyof QueryLimits, store: Limiter, caller: Limiter): Bound | undefined {
  const ofStore = store.limits[name]
  const ofCaller = caller.limits[name]
  if (ofCaller !== undefined && ofCaller < (ofStore ?? Number.POSITIVE_INFINITY)) {
    return { value: ofCaller, says: `${name} ${ofCaller} of token ${caller.name}` }
  }
  return ofStore === undefined ? undefined : { value: ofStore, says: `${name} ${ofStore} of store ${store.name}` }
}
