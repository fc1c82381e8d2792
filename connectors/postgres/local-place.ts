import type { LocalPlace } from '../contract.ts'
import { isLoopback } from '../loopback.ts'
import type { Work } from './work.ts'

/** What tells one server from another, and one start of it from the next: two machines never have the same. */
const IDENTITY = `
  select (select system_identifier from pg_control_system()) || ' ' || extract(epoch from pg_postmaster_start_time())
      || ' ' || coalesce(inet_server_port(), 0)`

/** "localhost" is another server on another machine: the server's own identity tells. */
export function localServer(work: Pick<Work, 'rows'>, host: string): LocalPlace | undefined {
  if (!isLoopback(host)) return undefined
  const identity = async (signal: AbortSignal) => (await work.rows({ doing: 'connect', about: '' }, signal, IDENTITY))[0]?.[0] ?? ''
  return {
    title: host,
    mark: async (signal) => ({ text: await identity(signal), [Symbol.asyncDispose]: async () => undefined }),
    sees: async (text, signal) => (await identity(signal)) === text,
  }
}
