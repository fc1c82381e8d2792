/** Three replicas: one hangs, one is stopped in order, their database hangs; clients of the others see nothing of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Asking, ReplicaSet } from './replica-set.ts'
import { waitFor } from './wait-for.ts'

let set: ReplicaSet

beforeAll(async () => {
  set = await ReplicaSet.start({ replicas: 3, nodes: ['n1', 'n2'] })
}, 90_000)

afterAll(() => set?.[Symbol.asyncDispose]())

beforeEach(async () => {
  for (const replica of [0, 1, 2]) await set.online(replica)
}, 60_000)

test('a change of settings is known at every replica within a second, also while all of them write', async () => {
  const late: number[] = []
  for (let n = 1; n <= 12; n += 1) {
    const [at, other, third] = [n % 3, (n + 1) % 3, (n + 2) % 3]
    const queryConcurrency = 100 + n
    // Writes of their own, at the same time: what is read then must not be thrown away.
    const noise = [other, third].map((replica) =>
      set.clientOf(replica).nodes.change('demo', replica === other ? 'n1' : 'n2', { settings: { weight: 1 + (n % 5) } }),
    )
    await set.clientOf(at).gateways.set('demo', { queryConcurrency })
    const from = performance.now()
    await Promise.all(
      [other, third].map((replica) =>
        waitFor(
          `replica ${replica} knows`,
          () => set.clientOf(replica).nodes.get('demo', 'n1'),
          (node) => node.queryLimit === queryConcurrency,
          { everyMs: 10 },
        ).then(() => late.push(performance.now() - from)),
      ),
    )
    await Promise.all(noise)
  }
  await set.clientOf(0).gateways.set('demo', { queryConcurrency: null })

  expect(Math.max(...late)).toBeLessThan(1_000)
}, 60_000)

test('the limit of a node holds for all replicas together, and who waits at one is served when a place is free at another', async () => {
  await set.clientOf(0).gateways.set('demo', { queryConcurrency: 2, queueTimeoutMs: 30_000 })
  await sleep(1_000)
  let most = 0
  let over = false
  const looking = (async () => {
    const sql = `select count(*)::int as n from pg_stat_activity where query like 'select pg_sleep(0.3)%' and state = 'active'`
    while (!over) most = Math.max(most, Number((await set.database.query(sql))[0]?.['n']))
  })()

  const answers: Promise<unknown>[] = []
  for (let n = 0; n < 36; n += 1) {
    answers.push(
      set
        .clientOf(n % 3)
        .query('shop', { sql: 'select pg_sleep(0.3)::text as slept' })
        .then((answer) => answer.rows()),
    )
    await sleep(25)
  }
  await Promise.all(answers)
  over = true
  await looking
  await set.clientOf(0).gateways.set('demo', { queryConcurrency: null, queueTimeoutMs: null })

  // Two nodes with two places each; three replicas that did not know of each other would use twelve. All three can take a node's last place
  // within the milliseconds that news need: then it has two more.
  expect(most).toBeGreaterThanOrEqual(3)
  expect(most).toBeLessThanOrEqual(8)
}, 60_000)

test('a replica that hangs is not missed by clients of the others, and works again when it goes on', async () => {
  const asking = new Asking([set.clientOf(0), set.clientOf(1)])
  await asking.more(20)

  set.services[2]?.process.pause()
  await sleep(12_000)
  await asking.more(20)
  const nodes = await set.clientOf(0).nodes.list('demo')
  set.services[2]?.process.resume()
  await asking.more(20)
  await asking.stop()

  expect(asking.failures).toEqual([])
  // What was on its way through the one that hangs waits until that is found.
  expect(Math.max(...asking.waits)).toBeLessThan(6_000)
  expect(nodes.filter(({ linkTransport }) => linkTransport === null)).toEqual([])
  await set.online(2)
  expect(await (await set.clientOf(2).query('shop', { sql: 'select 1 as one' })).rows()).toEqual([{ one: 1 }])
}, 60_000)

test('a replica that is stopped by SIGTERM under load fails no query, neither at the others nor by way of the balancer', async () => {
  const asking = new Asking([set.clientOf(0), set.clientOf(1), set.balanced, set.balanced, set.balanced, set.balanced])
  await asking.more(50)

  expect(await set.services[2]?.stop()).toBe(0)
  await asking.more(100)
  await set.services[2]?.restart()
  await asking.more(50)
  await asking.stop()

  expect(asking.failures).toEqual([])
}, 60_000)

test('while the database of the replicas hangs queries go on, and what waits for it ends when it goes on', async () => {
  const asking = new Asking([set.clientOf(0), set.clientOf(1), set.balanced], 20)
  await asking.more(20)

  await set.pauseDatabase(true)
  const before = asking.asked
  const write = set.clientOf(0).gateways.create({ name: 'late' })
  write.catch(() => undefined)
  await sleep(10_000)
  const during = asking.asked - before
  const during0 = await set.clientOf(0).nodes.list('demo')
  await set.pauseDatabase(false)
  await write.catch(() => undefined)
  await asking.more(20)
  await asking.stop()

  expect(asking.failures).toEqual([])
  expect(during).toBeGreaterThan(100)
  expect(Math.max(...asking.waits)).toBeLessThan(3_000)
  expect(during0.map(({ status, statusReasons }) => ({ status, statusReasons }))).toEqual(
    Array(2).fill({ status: 'online', statusReasons: [] }),
  )
}, 60_000)
