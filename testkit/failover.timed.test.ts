/** Nodes come and go under eight clients that ask without pause: no read-only query that has returned no byte may fail. */
import type { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { FlakyLink } from './flaky-link.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

type Policy = GatewaySettings['policy']

let cluster: Cluster
let database: TestDatabase
let link: FlakyLink

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start({
    urlOf: async (service, node) => {
      if (node !== 'n1') return service.url
      link = await FlakyLink.to(service)
      return `http://127.0.0.1:${link.port}`
    },
  })
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await link?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const CLIENTS = 8
/** Long enough for some to be in the store whenever something happens. */
const SQL = 'select pg_sleep(0.01)::text as slept, $1::int as n'

interface Asked {
  readonly id: string
  readonly node: string
  readonly attempts: number
}

/** Eight clients, each with its next query as soon as it has an answer. */
class Crowd {
  readonly answers: Asked[] = []
  /** Of queries that had returned no byte. */
  readonly failures: string[] = []
  /** Answers that broke off after their first byte: never ended as if whole, and nobody can take them over. */
  readonly cuts: string[] = []
  readonly #each = Array.from({ length: CLIENTS }, () => 0)
  readonly #loops: readonly Promise<void>[]
  #stopped = false

  constructor() {
    this.#loops = this.#each.map((_, client) => this.#ask(client))
  }

  /** Each of them has had so many more answers. */
  async goesOn(more = 5): Promise<void> {
    const before = [...this.#each]
    await waitFor(
      `each client has ${more} more answers`,
      () => this.#each.map((count, client) => count - (before[client] ?? 0)),
      (counts) => counts.every((count) => count >= more) || this.failures.length > 0,
      { timeoutMs: 30_000 },
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  async #ask(client: number): Promise<void> {
    for (let n = 0; !this.#stopped; n += 1) {
      try {
        const { id, node, attempts, rows } = await this.#one(n)
        if (rows[0]?.['n'] !== n) throw new Error(`row ${n} was expected, not ${JSON.stringify(rows)}`)
        this.answers.push({ id, node, attempts })
      } catch (thrown) {
        const cut = thrown instanceof Fault && thrown.code === 'STORE_LOST'
        if (cut) this.cuts.push(String(thrown))
        else this.failures.push(String(thrown))
        if (!cut) return
      }
      this.#each[client] = (this.#each[client] ?? 0) + 1
    }
  }

  async #one(n: number) {
    const { id, node, attempts, ...result } = await cluster.client.query('shop', { sql: SQL, params: [n] })
    return { id, node, attempts, rows: (await result.rows()) as Record<string, unknown>[] }
  }
}

interface Trouble {
  readonly what: string
  strike(): unknown
  /** The service has seen it. */
  seen?(): Promise<unknown>
  heal(): unknown
  /** What the explanation of a query says of n1 while it lasts. */
  readonly says: RegExp
}

const nodes = () => cluster.client.nodes
const n1 = () => nodes().get(cluster.gateway, 'n1')
const unlinked = () => waitFor('n1 has no link', n1, (node) => node.linkTransport === null, { timeoutMs: 15_000 })
const act = (action: 'drain' | 'enable' | 'disable') => nodes().act(cluster.gateway, 'n1', action)

const LOUD: readonly Trouble[] = [
  {
    what: 'is killed',
    strike: () => cluster.node('n1').kill(),
    seen: unlinked,
    heal: () => cluster.node('n1').restart(),
    says: /has no link|is silent/,
  },
  { what: 'loses its link', strike: () => link.cut(), seen: unlinked, heal: () => link.heal(), says: /has no link/ },
  {
    what: 'is full',
    strike: () => nodes().change(cluster.gateway, 'n1', { settings: { queryConcurrency: 1 } }),
    heal: () => nodes().change(cluster.gateway, 'n1', { settings: { queryConcurrency: null } }),
    says: /is at its limit of 1 queries/,
  },
  { what: 'drains', strike: () => act('drain'), heal: () => act('enable'), says: /is draining/ },
  { what: 'is disabled', strike: () => act('disable'), heal: () => act('enable'), says: /is disabled/ },
]
const SILENT: readonly Trouble[] = [
  { what: 'hangs', strike: () => cluster.node('n1').pause(), seen: unlinked, heal: () => cluster.node('n1').resume(), says: /has no link/ },
  { what: 'has a link that is half open', strike: () => link.halfOpen(), seen: unlinked, heal: () => link.heal(), says: /has no link/ },
]
/** What takes a node away in the middle of its answers; the others let it finish. */
const LOSSES: ReadonlySet<Trouble> = new Set([...LOUD.filter(({ seen }) => seen), ...SILENT])
const POLICIES: readonly Policy[] = ['primary-first', 'random', 'least-loaded', 'round-robin']

/** Silence takes seconds to be found, so each kind of it meets two of the policies. */
const CASES = [
  ...POLICIES.flatMap((policy) => LOUD.map((trouble) => [trouble.what, policy, trouble] as const)),
  ...SILENT.flatMap((trouble, at) => POLICIES.filter((_, n) => n % 2 === at).map((policy) => [trouble.what, policy, trouble] as const)),
]

test.each(CASES)('no query fails when a node %s, by policy %s', async (_, policy, trouble) => {
  onTestFailed(() => console.error(cluster.logs.slice(-6_000)))
  await cluster.client.gateways.set(cluster.gateway, { policy })
  await cluster.allOnline()
  const crowd = new Crowd()
  // By least-loaded that can take a while after a failure of n1.
  const answers = () => crowd.answers.some(({ node }) => node === 'n1') && crowd.answers.length > CLIENTS
  await waitFor('n1 answers', answers, Boolean, { timeoutMs: 40_000 })
  try {
    const struckAt = performance.now()
    await trouble.strike()
    await trouble.seen?.()
    if (SILENT.includes(trouble)) expect(performance.now() - struckAt).toBeLessThan(5_000)
    await crowd.goesOn()
    await explained(crowd, trouble.says)
  } finally {
    await trouble.heal()
    await crowd.stop()
  }

  expect(crowd.failures).toEqual([])
  if (!LOSSES.has(trouble)) expect(crowd.cuts).toEqual([])
  const retried = crowd.answers.filter(({ attempts }) => attempts > 1)
  for (const { id } of retried.slice(0, 3)) tellsOfFailure(await view(id))
  if (SILENT.includes(trouble)) expect(retried.length).toBeGreaterThan(0)
})

test('a node that is drained and stopped in the middle of an answer gives it whole', async () => {
  await cluster.client.gateways.set(cluster.gateway, { policy: 'primary-first' })
  await cluster.allOnline()
  const sql = `select n, repeat('x', 5000) as filler, pg_sleep(0.02)::text as slept from generate_series(1, 100) n`
  const result = await cluster.client.query('shop', { sql, format: 'ndjson' })
  const texts = result.bytes[Symbol.asyncIterator]()
  let text = Buffer.from((await texts.next()).value ?? []).toString()

  const drained = await act('drain')
  const stopped = cluster.node('n1').process.stop()
  for (let part = await texts.next(); !part.done; part = await texts.next()) text += Buffer.from(part.value).toString()

  expect(result.node).toBe('n1')
  expect(drained).toMatchObject({ status: 'draining' })
  expect(text.trim().split('\n')).toHaveLength(100)
  expect(await stopped).toBe(0)
  expect((await view(result.id)).outcome).toBe('succeeded')
  await cluster.node('n1').restart()
  await act('enable')
  await cluster.allOnline()
})

function view(id: string): Promise<QueryView> {
  return waitFor(
    `query ${id} is over`,
    () => cluster.client.queries.get(id),
    ({ outcome }) => outcome !== 'running',
  )
}

/** Some query says of n1 why it was not asked. */
async function explained(crowd: Crowd, says: RegExp): Promise<void> {
  await waitFor(
    `a query says that n1 ${says.source}`,
    async () => {
      const last = crowd.answers.slice(-6).filter(({ node }) => node === 'n2')
      const views = await Promise.all(last.map(({ id }) => view(id)))
      return views.flatMap(({ candidates }) => candidates).filter(({ node }) => node === 'n1')
    },
    (seen) => seen.some(({ taken, reason }) => !taken && says.test(reason)),
  )
}

function tellsOfFailure({ id, outcome, node, attempts, candidates }: QueryView): void {
  const [first, last] = [attempts[0], attempts.at(-1)]
  expect({ id, outcome, node, last: last?.outcome }).toEqual({ id, outcome: 'succeeded', node: last?.node, last: 'answered' })
  expect(first).toMatchObject({ node: 'n1', outcome: 'failed', fault: expect.stringMatching(/^[A-Z_]+: /) })
  expect(candidates.find((one) => one.node === 'n2')).toMatchObject({
    taken: true,
    reason: expect.stringMatching(/after a failed attempt$/),
  })
  // Found by the link's own PING, not by anything that waits longer.
  expect(first?.durationMs).toBeLessThan(LIMITS.callMs)
}
