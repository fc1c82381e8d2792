/** Connections of clients by two replicas of the service, where the node is linked to one of them only. */
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Balancer } from './balancer.ts'
import { postern } from './cli.ts'
import { PosternProcess } from './process.ts'
import { ReplicaSet } from './replica-set.ts'
import type { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'
import { lastError, wireClient } from './wire-client.ts'

let set: ReplicaSet
/** Has no link to the node. */
let far: TestService
/** Has it. */
let near: TestService
let wire: Balancer

beforeAll(async () => {
  set = await ReplicaSet.start({ replicas: 2, nodes: ['n1'], urlOf: (_, [, second]) => second?.url ?? '' })
  const [first, second] = set.services
  if (!first || !second) throw new Error('There are no two services.')
  ;[far, near] = [first, second]
  await set.database.query(`create table orders as select n as id, repeat('x', 500) as text from generate_series(1, 20000) n`)
  wire = await Balancer.over([far.postgresPort, near.postgresPort])
}, 120_000)

afterAll(async () => {
  await wire?.[Symbol.asyncDispose]()
  await set?.[Symbol.asyncDispose]()
})

/** A token of one replica holds at all. */
const signIn = (at: TestService, application_name: string) =>
  wireClient({ token: set.first.token, postgresPort: at.postgresPort }, { application_name })

/** What psql does at Ctrl-C, with the key of `client`, at whichever replica. */
async function cancelAt(at: TestService, key: { readonly processID: number | null; readonly secretKey: number | null }): Promise<void> {
  const bytes = Buffer.alloc(16)
  for (const [index, value] of [16, 80_877_102, key.processID ?? 0, key.secretKey ?? 0].entries()) bytes.writeInt32BE(value, 4 * index)
  const socket = dial(at.postgresPort, '127.0.0.1')
  socket.end(bytes)
  socket.resume()
  await once(socket, 'close')
}

const keyOf = (client: pg.Client) => client as unknown as { readonly processID: number; readonly secretKey: number }

async function sleeping(): Promise<number> {
  const [row] = await set.database.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep' and query like '%4321%' and datname = current_database()`,
  )
  return row?.n ?? 0
}

const outcome = (asked: Promise<unknown>) =>
  asked.then(
    () => 'slept',
    (cause: { readonly code: string }) => cause.code,
  )

test('a client of the replica without a link to the node is served, whole and both ways', async () => {
  const client = await signIn(far, 'far')

  expect((await client.query('select id, text from orders order by id')).rows).toHaveLength(20_000)
  await client.query('create table big (text text)')
  await client.query('insert into big values ($1)', ['y'.repeat(8_000_000)])
  expect((await client.query('select length(text) from big')).rows).toEqual([{ length: 8_000_000 }])
  await expect(client.query('select no_such_column')).rejects.toMatchObject({ code: '42703' })
  await client.end()
})

test('its bytes go over the links, for the node cannot dial that replica; at the other one they have a connection of their own', async () => {
  const [away, beside] = [await signIn(far, 'away'), await signIn(near, 'beside')]
  const seen = await set.clientOf(0).sessions.list()

  expect(seen.map(({ application, way, replica }) => [application, way, replica]).toSorted()).toEqual([
    ['away', 'link', far.url],
    ['beside', 'own', near.url],
  ])
  await Promise.all([away.end(), beside.end()])
})

test('`postern connect` at the replica without a link leads to the store', async () => {
  const { user, password, name } = set.database
  await using opened = new PosternProcess(['connect', 'shop'], { env: { ...far.env, POSTERN_TOKEN: set.first.token } })
  const port = Number((await opened.start()).split(':')[1])
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: name })
  await client.connect()

  expect((await client.query('select count(*)::int as n from orders')).rows).toEqual([{ n: 20_000 }])
  expect(await set.clientOf(1).sessions.list()).toMatchObject([{ kind: 'connect', replica: far.url, node: 'n1' }])
  await client.end()
})

test.each([
  ['the replica that has the connection', 'near', 'near'],
  ['another one, which has no link to the node', 'near', 'far'],
  ['another one, which has the link to the node', 'far', 'near'],
])('a request to cancel is heard by %s', async (_, has, hears) => {
  const at = { near, far }
  const client = await signIn(at[has as 'near'], 'sleeper')
  const asked = outcome(client.query('select pg_sleep(4321)'))
  await waitFor('it sleeps', sleeping, (n) => n === 1)
  await cancelAt(at[hears as 'near'], keyOf(client))

  expect(await asked).toBe('57014')
  expect((await client.query('select 1 as still')).rows).toEqual([{ still: 1 }])
  await client.end()
})

test('a key that is not quite right stops nothing, at any replica', async () => {
  const client = await signIn(near, 'sleeper')
  const asked = outcome(client.query('select pg_sleep(4321)'))
  await waitFor('it sleeps', sleeping, (n) => n === 1)
  const { processID, secretKey } = keyOf(client)
  for (const at of [near, far]) {
    await cancelAt(at, { processID, secretKey: secretKey ^ 1 })
    await cancelAt(at, { processID: processID ^ 1, secretKey })
    await cancelAt(at, { processID: processID ^ 0x10000, secretKey })
  }
  expect(await sleeping()).toBe(1)

  await cancelAt(far, { processID, secretKey })
  expect(await asked).toBe('57014')
  await client.end()
})

test('behind a balancer, which brings each connection elsewhere, postgres.js cancels what it has begun', async () => {
  const sql = postgres({
    host: '127.0.0.1',
    port: Number(new URL(wire.url).port),
    database: 'shop',
    username: 'any',
    password: set.first.token,
    ssl: { rejectUnauthorized: false },
    max: 1,
  })
  try {
    for (let n = 0; n < 3; n += 1) {
      const late = sql`select pg_sleep(4321)`
      const asked = outcome(late.execute())
      await waitFor('it sleeps', sleeping, (seen) => seen === 1)
      late.cancel()
      expect(await asked).toBe('57014')
    }
    expect(await sql`select 1 as still`).toEqual([{ still: 1 }])
  } finally {
    await sql.end({ timeout: 1 })
  }
})

test('a connection stands in the list of each replica, and each can end it', async () => {
  for (const [has, asks] of [
    [far, near],
    [near, far],
  ] as const) {
    const client = await signIn(has, 'unwanted')
    await client.query('select 1')
    const told = lastError(client)
    const env = { ...asks.env, POSTERN_TOKEN: set.first.token }
    const listed = await postern(['session', 'list', '--json'], { env })
    const [session] = (JSON.parse(listed.stdout) as { id: string; application: string; replica: string }[]).filter(
      ({ application }) => application === 'unwanted',
    )
    expect(session?.replica).toBe(has.url)
    const ended = await postern(['session', 'end', session?.id ?? ''], { env })

    expect(ended.code, ended.stderr).toBe(0)
    expect(await told).toMatchObject({ code: '57P01', message: expect.stringContaining('ended it') })
    const again = await postern(['session', 'end', session?.id ?? ''], { env })
    expect(again.stderr).toContain('There is no such open connection')
  }
})

test('a replica that hangs is named, and keeps nobody from the list of the rest', async () => {
  const client = await signIn(near, 'seen')
  far.process.pause()
  try {
    const since = performance.now()
    const { items, silent } = await set.clientOf(1).sessions.all()
    expect(performance.now() - since).toBeLessThan(4_000)
    expect(silent).toEqual([far.url])
    expect(items.map(({ application }) => application)).toContain('seen')
  } finally {
    far.process.resume()
  }
  await client.end()
  await set.online(0)
  await set.online(1)
})

test('when the replica with the link is killed the client of the other one is told, and is served when the node is linked again', async () => {
  const client = await signIn(far, 'told')
  await client.query('select 1')
  const told = lastError(client)
  await near.kill()
  expect(await told).toMatchObject({ code: '08006' })

  await near.restart()
  await set.online(0)
  const again = await signIn(far, 'again')
  expect((await again.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await again.end()
})
