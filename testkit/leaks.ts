import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect } from 'vitest'

/** What keeps a process alive and a test should have ended: sockets, servers, child processes, timers. */
const WATCHED = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'PipeWrap', 'ProcessWrap', 'UDPWrap', 'Timeout', 'FSEventWrap'])

/** Call it at the top of a test file: a test that leaves something open fails and is told what. */
export function failOnLeaks(options: { readonly graceMs?: number } = {}): void {
  let before = new Map<string, number>()

  beforeEach(() => {
    before = open()
  })

  afterEach(async () => {
    const deadline = performance.now() + (options.graceMs ?? 1_000)
    let left = more(open(), before)
    // Sockets need a turn of the loop or two to be gone after they were closed.
    while (left.length > 0 && performance.now() < deadline) {
      await sleep(10, undefined, { ref: false })
      left = more(open(), before)
    }
    expect(left, 'the test left these open').toEqual([])
  })
}

function open(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) if (WATCHED.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

function more(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): string[] {
  return [...now].flatMap(([type, count]) => {
    const extra = count - (before.get(type) ?? 0)
    return extra > 0 ? [`${extra} × ${type}`] : []
  })
}
