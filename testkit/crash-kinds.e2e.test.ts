/** kill -9 of the node that runs a task, for each kind of task: held there by a lock in the database, so that it is struck in the midst. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import type { TestDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const SHORT_MS = 60_000

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.start()
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

/** Until it is disposed. */
async function locked(database: TestDatabase, table: string, mode: 'access share' | 'access exclusive'): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query(`begin; lock table ${table} in ${mode} mode`)
  return { [Symbol.asyncDispose]: () => client.end() }
}

/** The node that runs a task of this kind, killed; started again at once. */
async function strike(run: string, kind: RunView['tasks'][number]['kind']): Promise<void> {
  const struckTask = ({ tasks }: RunView) =>
    tasks.find((task) => task.kind === kind && task.status === 'running' && task.attempts.at(-1)?.status === 'running')
  const seen = await waitFor(
    `a ${kind} runs`,
    () => cluster.client.runs.get(run),
    (seen) => struckTask(seen) !== undefined,
    { timeoutMs: SHORT_MS, everyMs: 50 },
  )
  // The attempt's: the task itself may have been looked at a moment before it began.
  const node = cluster.node(struckTask(seen)?.attempts.at(-1)?.node ?? '')
  await node.kill()
  await node.restart()
}

test.each(['plan', 'part', 'finish'] as const)(
  'kill -9 of the node in the midst of a %s: every row is there once',
  { timeout: 180_000 },
  async (kind) => {
    await cluster.allOnline()
    await using rig = await CopyRig.make(cluster, { rows: 5_000 })
    const { source, target } = rig.names
    const copy = { source, sink: target, from: 'orders', to: 'orders', parts: 4, mode: 'overwrite', verify: 'checksum' } as const
    // There is a table to be swapped, so that publishing has something to wait for.
    await cluster.ended((await cluster.client.copy({ ...copy, parts: 1 })).id)

    // A plan looks at the source, a part reads it: both wait for this. Publishing waits for readers of the target.
    const held = await (kind === 'finish'
      ? locked(rig.target, 'orders', 'access share')
      : kind === 'plan'
        ? locked(rig.source, 'orders', 'access exclusive')
        : undefined)
    if (kind === 'part') rig.link.slow(100_000)
    const started = await cluster.client.copy(copy)
    try {
      await strike(started.id, kind)
    } finally {
      await held?.[Symbol.asyncDispose]()
      rig.link.heal()
    }
    const run = await cluster.ended(started.id)

    expect(run.status, `${story(run)}\n${cluster.warnings}`).toBe('succeeded')
    expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
    const lost = run.tasks.flatMap((task) => task.attempts.filter(({ status }) => status !== 'succeeded').map(() => task.kind))
    expect(lost).toContain(kind)
  },
)

test('kill -9 of the node in the midst of a clean-up: nothing is left, and a rerun copies every row once', {
  timeout: 180_000,
}, async () => {
  await cluster.allOnline()
  await using rig = await CopyRig.make(cluster, { rows: 5_000, bytesPerSecond: 100_000 })
  const { source, target } = rig.names
  const staging = async () =>
    (
      await rig.target.query<{ name: string }>(`select relname as name from pg_class where relname like '\\_postern\\_%' and relkind = 'r'`)
    ).map(({ name }) => name)
  const started = await cluster.client.copy({ source, sink: target, from: 'orders', to: 'orders', parts: 4, mode: 'overwrite' })
  const [table = ''] = await waitFor('rows are written aside', staging, (names) => names.length > 0, { timeoutMs: SHORT_MS })

  const client = new pg.Client({ connectionString: rig.target.url })
  await client.connect()
  await client.query(`begin; lock table "${table}" in access share mode`)
  await cluster.client.runs.cancel(started.id)
  rig.link.heal()
  await strike(started.id, 'cleanup')
  await client.end()
  await waitFor('what was written aside is gone', staging, (names) => names.length === 0, { timeoutMs: SHORT_MS })
  await cluster.client.runs.rerun(started.id)
  const run = await cluster.ended(started.id)

  expect(run.status, `${story(run)}\n${cluster.warnings}`).toBe('succeeded')
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
  expect(await staging()).toEqual([])
})

test('a cancelled copy that appends goes on with the parts that are in the target', { timeout: 180_000 }, async () => {
  await cluster.allOnline()
  await using rig = await CopyRig.make(cluster, { rows: 20_000, bytesPerSecond: 300_000 })
  const { source, target } = rig.names
  const started = await cluster.client.copy({ source, sink: target, from: 'orders', to: 'orders', parts: 12, verify: 'checksum' })
  await waitFor(
    'some parts are done',
    () => cluster.client.runs.get(started.id),
    ({ tasks }) => tasks.filter((task) => task.kind === 'part' && task.status === 'succeeded').length >= 2,
    { timeoutMs: SHORT_MS },
  )

  await cluster.client.runs.cancel(started.id)
  await cluster.client.runs.rerun(started.id)
  rig.link.heal()
  const run = await cluster.ended(started.id)

  expect(run.status, `${story(run)}\n${cluster.warnings}`).toBe('succeeded')
  expect(run.notes.join('\n')).toContain('are in the target for good')
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})
