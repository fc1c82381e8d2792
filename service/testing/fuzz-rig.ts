/** What every fuzz test here holds the service to: no crash, no leak, no 500, no stack, and it goes on serving. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { pino } from 'pino'
import { expect } from 'vitest'
import { LocalService } from './local-service.ts'

/** In all; `AT_ONCE` of them at the same time. */
export const INPUTS = 10_000
const AT_ONCE = 20
/** What caches may come to hold meanwhile. */
const HEAP_BYTES = 48 << 20
/** Connections to the database and of this test's own client come and go; what leaked would be thousands. */
const POOLED = 24
const SOCKETS = new Set(['TCPSocketWrap', 'TLSWrap', 'PipeWrap'])

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

export interface FuzzedService {
  readonly service: LocalService
  /** Lines that say that something went wrong which should not have. */
  readonly errors: readonly string[]
}

export async function fuzzedService(): Promise<FuzzedService> {
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) })
  return { service: await LocalService.start({ postgres: { port: 0, required: true }, log }), errors }
}

/** `offer` sends one input and looks at what comes back. A failure is shrunk to the smallest input that fails. */
export async function fuzz<Input>(
  { service, errors }: FuzzedService,
  input: fc.Arbitrary<Input>,
  offer: (input: Input) => Promise<void>,
): Promise<void> {
  const many = fc.array(input, { minLength: AT_ONCE, maxLength: AT_ONCE })
  // What is loaded and cached by the first of them is no leak.
  for (const first of fc.sample(many, { numRuns: 25, seed: 1 })) await Promise.all(first.map(offer))
  const ready = async () => (await fetch(`${service.url}/readyz`)).status
  await ready()
  const before = { sockets: sockets(), heap: heap() }

  await fc.assert(
    fc.asyncProperty(many, async (inputs) => void (await Promise.all(inputs.map(offer)))),
    { numRuns: INPUTS / AT_ONCE, interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true },
  )

  expect(errors).toEqual([])
  expect(await ready()).toBe(200)
  for (let look = 0; sockets() > before.sockets + POOLED && look < 100; look += 1) await sleep(50)
  expect(sockets(), 'sockets that were left open').toBeLessThanOrEqual(before.sockets + POOLED)
  expect(heap() - before.heap, 'bytes that were kept').toBeLessThan(HEAP_BYTES)
}

const STACK = /\n\s+at |node_modules|node:internal|\/service\/.*\.ts|postgres:\/\//

/** Of an answer to what nobody could mean: a problem of the sender's, said without anything of the inside. */
export function expectProblem(status: number, text: string): void {
  expect(status, text).toBeGreaterThanOrEqual(400)
  expect(status, text).toBeLessThan(500)
  expect(text).not.toMatch(STACK)
  expect(text.length).toBeLessThan(16_384)
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((type) => SOCKETS.has(type)).length
}

function heap(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
