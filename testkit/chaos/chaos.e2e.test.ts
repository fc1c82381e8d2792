/**
 * Random kill -9 under running copies. Each seed copies between two pairs of stores at once and kills nodes, the service or its database in the midst;
 * in the end an independent checker counts: nothing lost, nothing doubled, readers saw all or nothing.
 *
 *     POSTERN_CHAOS_SEEDS=500 npx vitest run --project e2e testkit/chaos     # more of it
 *     POSTERN_CHAOS_FIRST=37 POSTERN_CHAOS_SEEDS=1 npx vitest ...            # one seed again
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { story } from '../copy-rig.ts'
import { sharedServer } from '../postgres.ts'
import { waitFor } from '../wait-for.ts'
import { type ChaosCopy, ChaosEnds, PAIRS } from './chaos-ends.ts'
import { chaosPlan, type Strike } from './chaos-plan.ts'
import { compareRows, NOTHING_WRONG } from './row-checker.ts'

const FIRST = Number(process.env['POSTERN_CHAOS_FIRST'] ?? 0)
const SEEDS = Number(process.env['POSTERN_CHAOS_SEEDS'] ?? 50)
const SEED_MS = 180_000
/** A run that has used up its attempts is run again, as its owner would: what is done is not copied twice. */
const RERUNS = 2

/** Most of a seed is waiting: for what was killed, and for what was lost with it. */
const ARENAS = 2

interface Arena {
  readonly cluster: Cluster
  readonly ends: ChaosEnds
}

const arenas: Arena[] = []
/** Those that no seed uses now: as many as tests that run at once (`maxConcurrency`). */
const free: Arena[] = []

beforeAll(async () => {
  for (let i = 0; i < ARENAS; i++) {
    const cluster = await Cluster.start({ service: { database: 'embedded' } })
    const arena = { cluster, ends: await ChaosEnds.make(cluster) }
    arenas.push(arena)
    free.push(arena)
  }
})
afterAll(async () => {
  for (const { cluster, ends } of arenas) {
    await cluster[Symbol.asyncDispose]()
    await ends[Symbol.asyncDispose]()
  }
})

describe.concurrent('random kill -9', () => {
  test.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))(
    'seed %i: nothing is lost, nothing is doubled, readers see all or nothing',
    async (seed) => {
      const arena = free.pop()
      if (!arena) throw new Error(`Vitest runs more than ${ARENAS} tests at once.`)
      try {
        await survive(seed, arena)
      } finally {
        free.push(arena)
      }
    },
    SEED_MS,
  )
})

test('after all that, no log holds a password, a token or a key', async () => {
  const { password } = await sharedServer()

  for (const { cluster } of arenas) {
    expect(cluster.logs).not.toContain(password)
    expect(cluster.logs).not.toContain(cluster.service.token)
    expect(cluster.logs).not.toMatch(/pgk_[a-z0-9]+_\w{20}/)
  }
})

async function survive(seed: number, { cluster, ends }: Arena): Promise<void> {
  const plan = chaosPlan(seed, PAIRS)
  const copies = await Promise.all(plan.copies.map(({ pair }) => ends.copy(pair)))
  const watching = copies.map((copy) => new Reader(copy))
  try {
    const runs = await Promise.all(
      copies.map(({ request }, i) => cluster.client.copy({ ...request, parts: plan.copies[i]?.parts, verify: plan.copies[i]?.verify })),
    )
    await waitFor('something moves', () => cluster.client.runs.get(runs[0]?.id ?? ''), moves, { everyMs: 20 })
    await strikeAll(cluster, plan.strikes)
    const ended = await Promise.all(runs.map(({ id }) => endedWell(cluster, id)))
    const seen = await Promise.all(watching.map((reader) => reader.stop()))

    for (const [i, copy] of copies.entries()) {
      const run = ended[i] as RunView
      const about = `${JSON.stringify(plan)}\n${story(run)}\n${cluster.warnings}`
      expect(run, about).toMatchObject({ status: 'succeeded', guarantee: 'exactly-once', verification: { status: 'passed' } })
      expect(compareRows(copy.expected, await copy.found()), about).toEqual(NOTHING_WRONG)
      expect(await copy.leftovers(), about).toEqual([])
      if (copy.mayBeSeen) expect(copy.mayBeSeen, about).toEqual(expect.arrayContaining([...(seen[i] ?? [])]))
    }
  } finally {
    await Promise.all(watching.map((reader) => reader.stop()))
    await Promise.all(copies.map((copy) => copy[Symbol.asyncDispose]()))
  }
}

function moves(run: RunView): boolean {
  return run.endedAt !== null || run.tasks.some(({ kind, status }) => kind === 'part' && status !== 'waiting' && status !== 'ready')
}

async function strikeAll(cluster: Cluster, strikes: readonly Strike[]): Promise<void> {
  const since = performance.now()
  for (const strike of strikes) {
    await sleep(Math.max(0, strike.afterMs - (performance.now() - since)))
    await kill(cluster, strike)
    await sleep(strike.backAfterMs)
    if (!cluster.service.process.running) await cluster.service.restart()
    for (const node of cluster.nodes.values()) if (!node.process.running) await node.restart()
  }
}

async function kill(cluster: Cluster, { victim }: Strike): Promise<void> {
  if (victim === 'service') return void (await cluster.service.kill())
  if (victim === 'service and its database') {
    const database = await cluster.service.databasePid()
    await cluster.service.kill()
    return void process.kill(database, 'SIGKILL')
  }
  if (victim === 'both nodes') return void (await Promise.all([...cluster.nodes.values()].map((node) => node.kill())))
  const dispatcher = await cluster.dispatcher()
  const worker = [...cluster.nodes.keys()].find((name) => name !== dispatcher) ?? dispatcher
  await cluster.node(victim === 'dispatcher' ? dispatcher : worker).kill()
}

async function endedWell(cluster: Cluster, id: string): Promise<RunView> {
  for (let again = 0; ; again++) {
    const run = await waitFor(
      `run ${id} has ended`,
      () => cluster.client.runs.get(id),
      ({ status }) => status !== 'queued' && status !== 'running',
      { timeoutMs: SEED_MS / 2, everyMs: 100 },
    )
    if (run.status !== 'failed' || again === RERUNS) return run
    await cluster.client.runs.rerun(id)
  }
}

/** Looks at the target all the time, and remembers how many rows there were. */
class Reader {
  readonly #copy: ChaosCopy
  readonly #seen = new Set<number>()
  readonly #over = new AbortController()
  readonly #loop: Promise<void>
  #fault: unknown

  constructor(copy: ChaosCopy) {
    this.#copy = copy
    this.#loop = copy.mayBeSeen ? this.#watch() : Promise.resolve()
  }

  async stop(): Promise<ReadonlySet<number>> {
    this.#over.abort()
    await this.#loop
    if (this.#fault) throw this.#fault
    return this.#seen
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted && !this.#fault) {
      try {
        const rows = await this.#copy.seen()
        if (rows !== undefined) this.#seen.add(rows)
      } catch (cause) {
        this.#fault = cause
      }
      await sleep(50, undefined, { signal: this.#over.signal }).catch(() => undefined)
    }
  }
}
