import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below what operating systems give to connections that go out (from 32768 on Linux, 49152 elsewhere): a server that is stopped and
 * started again finds its port free, however much goes on beside it.
 */
const FIRST = 20_000
const END = 32_000
const TRIES = 100
const given = new Set<number>()

/** A loopback port that nobody listens on now. For programs that cannot take port 0 themselves, and those that come back at the same. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, END)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`No port from ${FIRST} to ${END} was free in ${TRIES} tries.`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
