/** kill -9 of nodes that hold uploads which are not completed: what counts is completed by others, what does not goes, every row is there once. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CELL, compareRows, NOTHING_WRONG, type Rows } from './chaos/row-checker.ts'
import { Cluster } from './cluster.ts'
import { story } from './copy-rig.ts'
import { FlakyLink } from './flaky-link.ts'
import { objectBytes, objectKeys, unfinished } from './object-reader.ts'
import { azurite, type ObjectServer, s3Server } from './object-store.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

/** Some blocks of 5 MB in each of two parts, the second of which takes some seconds. */
const ROWS = 60_000
const BYTES_PER_SECOND = 4_000_000
const WAIT_MS = 60_000

let cluster: Cluster
let database: TestDatabase
let link: FlakyLink

beforeAll(async () => {
  cluster = await Cluster.start()
  database = await testDatabase()
  link = await FlakyLink.to(database)
  await database.query(`create table orders (id int primary key, filler text);
    insert into orders select n, repeat(md5(n::text), 15) from generate_series(1, ${ROWS}) n; analyze orders`)
  await cluster.postgresStore('shop', database, link)
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await link?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

describe.each([
  ['s3', s3Server],
  ['azure-blob', azurite],
] as const)('%s', (kind, start) => {
  let server: ObjectServer

  beforeAll(async () => {
    server = await start()
    await cluster.store(kind, kind, server.access)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  /** The first part waits whole, of the second some blocks; both nodes are dead. */
  async function struck(to: string): Promise<RunView> {
    await cluster.allOnline()
    link.slow(BYTES_PER_SECOND)
    const { id } = await cluster.client.copy({ source: 'shop', sink: kind, from: 'orders', to, parts: 2, parallel: 1 })
    const half = () => cluster.client.runs.get(id)
    await waitFor(
      'the first part is done',
      half,
      ({ tasks }) => tasks.some((task) => task.kind === 'part' && task.status === 'succeeded'),
      {
        timeoutMs: WAIT_MS,
      },
    )
    await waitFor(
      'blocks of the second wait beside it',
      async () => (await unfinished(server)).filter(({ key }) => key.startsWith(to)),
      (found) => found.length === 2 && found.every(({ blocks }) => blocks > 0),
      { timeoutMs: WAIT_MS, everyMs: 50 },
    )
    const seen = await half()
    await Promise.all([...cluster.nodes.values()].map((node) => node.kill()))
    link.heal()
    return seen
  }

  async function restart(): Promise<void> {
    for (const node of cluster.nodes.values()) await node.restart()
  }

  test('nobody sees an object, the part that was done is not read again, what the dead left is gone in the end', {
    timeout: 240_000,
  }, async () => {
    const midway = await struck('orders.csv/')
    expect(midway.tasks.some((task) => task.kind === 'part' && task.status === 'running')).toBe(true)
    expect(await unfinished(server)).toHaveLength(2)
    expect((await objectKeys(server)).filter((key) => key.startsWith('orders.csv/'))).toEqual([])

    await restart()
    const run = await cluster.ended(midway.id)

    expect(run, `${story(run)}\n${cluster.warnings}`).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
    const [done = 0, again = 0] = run.tasks
      .filter(({ kind: task }) => task === 'part')
      .map(({ attempts }) => attempts.length)
      .toSorted()
    expect(done).toBe(1)
    expect(again).toBeGreaterThan(1)
    expect(compareRows(await sourceRows(), await targetRows(server, 'orders.csv/'))).toEqual(NOTHING_WRONG)
    expect(await unfinished(server)).toEqual([])
    expect((await objectKeys(server)).filter((key) => key.includes('.postern-'))).toEqual([])
  })

  test('cancelled after that, nothing of it stays', { timeout: 240_000 }, async () => {
    const midway = await struck('never.csv/')
    await cluster.client.runs.cancel(midway.id)

    await restart()

    await waitFor(
      'no upload waits',
      () => unfinished(server),
      (found) => found.length === 0,
      { timeoutMs: WAIT_MS },
    )
    await waitFor(
      'nothing is left',
      () => objectKeys(server),
      (keys) => !keys.some((key) => key.includes('never.csv')),
      { timeoutMs: WAIT_MS },
    )
  })
})

async function sourceRows(): Promise<Rows> {
  const rows = await database.query<{ row: string }>(`select id::text || '${CELL}' || filler as row from orders`)
  return rows.map(({ row }) => row)
}

/** Of all that the manifest names. */
async function targetRows(server: ObjectServer, folder: string): Promise<Rows> {
  const { files } = JSON.parse(String(await objectBytes(server, `${folder}_manifest.json`))) as { files: readonly { name: string }[] }
  const rows: string[] = []
  for (const { name } of files) {
    const [, ...lines] = String(await objectBytes(server, folder + name))
      .trimEnd()
      .split('\n')
    rows.push(...lines.map((line) => line.replace(',', CELL)))
  }
  return rows
}
