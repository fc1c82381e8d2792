import { Fault } from '@postern/protocol/fault.ts'
import { NoResultError } from 'kysely'

const GONE = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|08|57P0[1-5]|53300|25P0[34])/
/** Worth another try at once: the server is being started, or went while nothing had been asked of it yet. */
const PASSING = /^(ECONN|EPIPE|08|57P0[1-5])/
const REFUSED = /^(28|3D000)/
const SAID =
  /Connection terminated|connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|not queryable/

const codeOf = (cause: unknown) => (cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '')
const textOf = (cause: unknown) => (cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '')

/** Trouble with the database as a Fault; a refusal of a statement (a violated constraint, say) stays as it is. */
export function databaseFault(cause: unknown): unknown {
  if (cause instanceof Fault) return cause
  const code = codeOf(cause)
  if (code === '53100' || code === 'ENOSPC') return new Fault('DISK_FULL', { at: "The service's database cannot write.", cause })
  // NUL in a text; half a pair of UTF-16 in JSON. No schema of ours means either, and each field would have to say so.
  if (code === '22021' || code === '22P05' || (code === '22P02' && / json$/.test(textOf(cause))))
    return new Fault('INPUT_INVALID', { at: 'A text has a character that cannot be kept (NUL, or half of a pair).', cause })
  if (/^220(03|07|08)$/.test(code)) return new Fault('INPUT_INVALID', { at: 'A number or a time is out of range.', cause })
  // After a failover a connection may lead to a server that only follows another one.
  if (code === '25006') return new Fault('DATABASE_UNREACHABLE', { at: 'It takes no writes: is it a standby?', cause })
  if (code === '57014') return new Fault('TIMED_OUT', { at: "A statement of the service's own database was stopped.", cause })
  if (!GONE.test(code) && !REFUSED.test(code) && !(code === '' && SAID.test(textOf(cause)))) return cause
  const inner = cause instanceof AggregateError ? textOf(cause.errors[0]) : textOf(cause)
  return new Fault('DATABASE_UNREACHABLE', { at: `It said: ${inner || code}.`, cause })
}

/** What two changes that meet can bring about, where nobody has said anything better of it. */
const MET: Readonly<Record<string, string>> = {
  '23503': 'What it belongs to is gone.',
  '23505': 'Another one took the name or the place.',
  '40001': 'Others changed it at the same time.',
  '40P01': 'Others changed it at the same time.',
}

/** A statement that lost against another one, as a Fault; undefined for everything else. Nothing of it was done. */
export function metAnother(cause: unknown): Fault | undefined {
  const at = cause instanceof NoResultError ? 'It is gone.' : MET[codeOf(cause)]
  return at === undefined ? undefined : new Fault('CHANGED_MEANWHILE', { at, cause })
}

/** True when no answer came in time: the connection's state is not known any more. */
export const isLost = (cause: unknown): boolean => /Query read timeout/.test(textOf(cause))

/** True when connecting again in a moment can help. */
export function passes(fault: unknown): boolean {
  if (!(fault instanceof Fault) || fault.code !== 'DATABASE_UNREACHABLE') return false
  const code = codeOf(fault.cause)
  return PASSING.test(code) || (code === '' && SAID.test(textOf(fault.cause)))
}

/** True when the statement was refused by this constraint; constraints are named after their rule. */
export function violates(cause: unknown, constraint: string): boolean {
  return cause instanceof Error && 'constraint' in cause && cause.constraint === constraint
}
