import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

export interface WaitOptions {
  readonly timeoutMs?: number
  readonly everyMs?: number
}

/**
 * Looks again and again until what it sees is as wanted, and returns that. Says at the end of its patience what it saw last.
 *
 *     await waitFor('both nodes are online', () => client.nodes.list('demo'), (nodes) => nodes.length === 2)
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  until: (seen: T) => boolean = Boolean,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 15_000, everyMs = 25 } = options
  const deadline = performance.now() + timeoutMs
  let last: string
  for (;;) {
    try {
      const seen = await look()
      if (until(seen)) return seen
      last = typeof seen === 'string' ? seen : inspect(seen, { depth: 6, breakLength: 140, maxStringLength: 500 })
    } catch (thrown) {
      last = `it threw ${thrown instanceof Error ? thrown.message : String(thrown)}`
    }
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}. Last seen: ${last}`)
    await sleep(everyMs)
  }
}
