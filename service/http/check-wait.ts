import { Fault } from '@postern/protocol/fault.ts'

/** Fails with TOO_MANY_TRIES where a throttle says that there are seconds to wait. */
export function checkWait(seconds: number): void {
  if (seconds > 0) throw new Fault('TOO_MANY_TRIES', { at: `Try again in ${seconds} s.`, details: { seconds } })
}
