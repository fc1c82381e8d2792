import { Fault } from '@postern/protocol/fault.ts'

/** What PostgreSQL's last words mean to the person who reads them. */
export function unreachable(said: string, what: string): Fault {
  const line = said
    .split('\n')
    .findLast((text) => /(FATAL|PANIC|error):/.test(text))
    ?.replace(/^.*?(FATAL|PANIC|error): */, '')
  const code = said.includes('No space left on device') ? 'DISK_FULL' : 'DATABASE_UNREACHABLE'
  return new Fault(code, { at: line ? `${what} It said: ${line}` : what })
}
