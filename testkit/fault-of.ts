import { Fault } from '@postern/protocol/fault.ts'

/** The fault that something must end with. */
export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work
  } catch (cause) {
    if (cause instanceof Fault) return cause
    throw new Error('what was thrown is not a Fault', { cause })
  }
  throw new Error('it should have failed')
}
