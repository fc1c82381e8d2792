import { randomUUID } from 'node:crypto'
import type { LocalPlace } from '../contract.ts'
import { isLoopback } from '../loopback.ts'
import { textLiteral } from './names.ts'
import { StatementRun } from './statement-run.ts'
import type { Aim, Work } from './work.ts'

const AIM: Aim = { doing: 'connect', about: '' }
const MARK = /^postern_place_[0-9a-f-]{36}$/

/**
 * "localhost" is another server on another machine. A lock that one session holds by a name of chance is seen by all sessions of the
 * same server, whoever signs in, and by none of another; a name of the server itself would need MySQL 5.6 or MariaDB 11.
 */
export function localServer(work: Pick<Work, 'acquire' | 'guard' | 'release' | 'rows'>, host: string): LocalPlace | undefined {
  if (!isLoopback(host)) return undefined
  return {
    title: host,
    mark: async (signal) => {
      const text = `postern_place_${randomUUID()}`
      const wire = await work.acquire(signal)
      await work.guard(wire, AIM, signal, () => StatementRun.one(wire, `select get_lock(${textLiteral(text)}, 0)`))
      return { text, [Symbol.asyncDispose]: async () => work.release(wire) }
    },
    sees: async (text, signal) => {
      if (!MARK.test(text)) return false
      const [row] = await work.rows(AIM, signal, `select is_used_lock(${textLiteral(text)}) is not null`)
      return row?.[0] === '1'
    },
  }
}
