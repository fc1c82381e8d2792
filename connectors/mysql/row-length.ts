import { Fault } from '@postern/protocol/fault.ts'

/** What a row becomes that is too long for the server to put together (max_allowed_packet): nothing else is below 0. */
export function refuseLong(sum: string): void {
  if (!sum.startsWith('-')) return
  throw new Fault('ROW_INVALID', {
    at: 'A row is longer than the server can put together for its checksum.',
    remedy: 'Raise max_allowed_packet on the server, or verify counts only.',
  })
}
