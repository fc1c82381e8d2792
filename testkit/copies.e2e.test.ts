import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig } from './copy-rig.ts'
import { type TestFolder, testFolder } from './folder.ts'

let cluster: Cluster
let folder: TestFolder
let rig: CopyRig

beforeAll(async () => {
  folder = await testFolder()
  cluster = await Cluster.start()
  rig = await CopyRig.make(cluster, { rows: 20_000 })
  await cluster.filesStore('lake', folder.path)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

test('PostgreSQL to PostgreSQL: the same rows, exactly once, checked by checksums, by both nodes', async () => {
  const { source, target } = rig.names
  const copied = await cluster.cli([
    'copy',
    source,
    target,
    '--from',
    'orders',
    '--to',
    'orders',
    '--parts',
    '8',
    '--verify',
    'checksum',
    '--json',
  ])

  expect(copied.code, copied.stderr).toBe(0)
  expect(copied.json<RunView>()).toMatchObject({
    status: 'succeeded',
    guarantee: 'exactly-once',
    rowsRead: rig.rows,
    rowsWritten: rig.rows,
    verification: { status: 'passed', method: 'checksum' },
  })
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})

test('the progress of a copy names tasks and nodes on stderr, the result is on stdout', async () => {
  const { source, target } = rig.names
  const copied = await cluster.cli(['copy', source, target, '--from', 'orders', '--to', 'orders', '--mode', 'overwrite', '--parts', '4'])

  expect(copied.code, copied.stderr).toBe(0)
  expect(copied.stderr).toMatch(/part ".+" succeeded on n[12] in /)
  expect(copied.stdout).toMatch(
    /^run_\w+ succeeded: 20,000 rows, .+\n.+\n {2}guarantee exactly-once, lane \w+, nodes .+\n {2}verification passed \(20,000 rows at the source, 20,000 at the target\)/,
  )
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})

test('upsert by key changes what is there and adds what is not', async () => {
  const { source, target } = rig.names
  await rig.target.query(
    'create unique index on orders (id); delete from orders where id <= 100; update orders set customer = $$other$$ where id between 200 and 300',
  )

  const copied = await cluster.cli(['copy', source, target, '--from', 'orders', '--to', 'orders', '--mode', 'upsert', '--key', 'id'])

  expect(copied.code, copied.stderr).toBe(0)
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
})

test('PostgreSQL to Parquet and back: the same rows', async () => {
  const { source, target } = rig.names
  const out = await cluster.cli([
    'copy',
    source,
    'lake',
    '--from',
    'orders',
    '--to',
    'orders.parquet/',
    '--parts',
    '4',
    '--verify',
    'checksum',
    '--json',
  ])
  expect(out.code, out.stderr).toBe(0)
  expect(out.json<RunView>().verification.status).toBe('passed')
  const files = (await readdir(join(folder.path, 'orders.parquet'))).filter((name) => name.endsWith('.parquet'))
  expect(files.length).toBeGreaterThan(0)

  await rig.target.query('create table again (like orders)').catch(() => undefined)
  const back = await cluster.cli(['copy', 'lake', target, '--from', 'orders.parquet/*.parquet', '--to', 'again'])

  expect(back.code, back.stderr).toBe(0)
  expect(await CopyRig.fingerprint(rig.target, 'again')).toEqual(await CopyRig.fingerprint(rig.source))
})

test('CSV to PostgreSQL, appended to rows that are there', async () => {
  await mkdir(join(folder.path, 'in'), { recursive: true })
  const lines = Array.from({ length: 5_000 }, (_, n) => `${n},"name ""${n}"", with a comma",${n % 2 === 0 ? '' : n / 4}`)
  await writeFile(join(folder.path, 'in', 'people.csv'), `id,name,score\n${lines.join('\n')}\n`)
  await rig.target.query(`create table people (id int, name text, score numeric); insert into people values (-1, 'there', 0)`)

  const copied = await cluster.cli(['copy', 'lake', rig.names.target, '--from', 'in/people.csv', '--to', 'people'])

  expect(copied.code, copied.stderr).toBe(0)
  const [row] = await rig.target.query(
    `select count(*)::int as n, count(score)::int as scores, max(name) filter (where id = 7) as name from people`,
  )
  expect(row).toEqual({ n: 5_001, scores: 2_501, name: 'name "7", with a comma' })
})

test('a run can be started and left, watched, shown and listed', async () => {
  const { source, target } = rig.names
  const started = await cluster.cli([
    'copy',
    source,
    target,
    '--from',
    '(select id, customer from orders where id <= 10)',
    '--to',
    'few',
    '--no-follow',
    '--json',
  ])
  const { id } = started.json<RunView>()

  const watched = await cluster.cli(['run', 'watch', id])
  const shown = await cluster.cli(['run', 'show', id])
  const listed = await cluster.cli(['run', 'list'])

  expect([started.code, watched.code, shown.code, listed.code]).toEqual([0, 0, 0, 0])
  expect(shown.stdout).toContain('PART'.toLowerCase())
  expect(listed.stdout).toContain(id)
  expect(await rig.target.query('select count(*)::int as n from few')).toEqual([{ n: 10 }])
})

test('Ctrl-C leaves the run running and says how to go on', async () => {
  await using slow = await CopyRig.make(cluster, { rows: 30_000, bytesPerSecond: 400_000 })
  const abort = new AbortController()
  const { source, target } = slow.names
  const copying = cluster.cli(['copy', source, target, '--from', 'orders', '--to', 'orders', '--parts', '4'], { signal: abort.signal })
  const [run] = await newestRunning()
  abort.abort()

  const left = await copying
  expect(left.code).toBe(130)
  expect(left.stderr).toContain(`postern run cancel ${run?.id}`)
  slow.link.heal()
  expect((await cluster.ended(run?.id ?? '')).status).toBe('succeeded')
  expect(await CopyRig.fingerprint(slow.target)).toEqual(await CopyRig.fingerprint(slow.source))
})

test('a cancelled run leaves nothing of an overwrite behind', async () => {
  await using slow = await CopyRig.make(cluster, { rows: 30_000, bytesPerSecond: 200_000 })
  await slow.target.query(
    `create table orders as select 1::bigint as id, 'before' as customer, 1.5::numeric(12,2) as amount, now() as placed, true as paid, '{}'::jsonb as note`,
  )
  const { source, target } = slow.names
  const run = await cluster.startCopy({ source, sink: target, from: 'orders', to: 'orders', mode: 'overwrite', parts: 4 })

  expect(run.fault).toBeNull()
  const cancelled = await cluster.cli(['run', 'cancel', run.id])
  slow.link.heal()

  expect(cancelled.code, cancelled.stderr).toBe(0)
  expect((await cluster.ended(run.id)).status).toBe('cancelled')
  expect(await slow.target.query('select customer from orders')).toEqual([{ customer: 'before' }])
})

async function newestRunning() {
  const { waitFor } = await import('./wait-for.ts')
  return waitFor(
    'a run moves rows',
    async () => (await cluster.client.runs.list({ limit: 1 })).items,
    ([run]) => run?.status === 'running' && run.rowsRead > 0,
    { timeoutMs: 30_000 },
  )
}
