/** Rows that do not fit, watermarks and limits of a run, as people ask for them on the command line. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
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
  rig = await CopyRig.make(cluster, { rows: 40_000 })
  await cluster.filesStore('lake', folder.path)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

async function run(words: readonly string[]): Promise<RunView> {
  const done = await cluster.cli([...words, '--json'])
  expect(done.code, done.stderr).toBe(0)
  return done.json<RunView>()
}

/** The lines of a run's reject file, without the head. */
async function rejects(id: string): Promise<readonly string[]> {
  const path = join(folder.path, 'rejects', `${id}.csv`)
  const names = (await readdir(path)).filter((name) => name.endsWith('.csv'))
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(1))
}

const SKIP = ['--skip-incompatible', '10', '--rejects', 'lake:rejects']

test('rows of a table that the target does not take are left out, counted, and in the reject file with the reason', async () => {
  await rig.source.query(`create table raw as
    select n as id, case when n in (7, 500, 1999) then 'not a number' else n::text end as amount from generate_series(1, 2000) n`)
  await rig.target.query('create table taken (id int primary key, amount numeric)')

  const view = await run(['copy', rig.names.source, rig.names.target, '--from', 'raw', '--to', 'taken', ...SKIP])

  expect(view).toMatchObject({
    status: 'succeeded',
    rowsRead: 2_000,
    rowsWritten: 1_997,
    rowsSkipped: 3,
    verification: { status: 'passed' },
  })
  const left = await rejects(view.id)
  expect(left).toHaveLength(3)
  for (const [at, id] of [7, 500, 1_999].entries()) {
    expect(left[at]).toContain('22P02')
    expect(left[at]).toContain('amount')
    expect(left[at]).toContain(`${id}`)
  }
  expect(await rig.target.query('select count(*)::int as n, sum(amount)::int as sum from taken')).toEqual([
    { n: 1_997, sum: (2_000 * 2_001) / 2 - 7 - 500 - 1_999 },
  ])
})

test('lines of files that the target does not take are left out; one more than allowed fails the copy', async () => {
  await mkdir(join(folder.path, 'in'))
  const bad = (n: number) => (n === 3 ? '3,no day' : n === 40 ? '40,2026-02-30' : `${n},2026-02-${String((n % 28) + 1).padStart(2, '0')}`)
  const lines = Array.from({ length: 100 }, (_, n) => bad(n))
  await writeFile(join(folder.path, 'in', 'days.csv'), `id,day\n${lines.join('\n')}\n`)
  await rig.target.query('create table days (id int, day date)')
  const words = ['copy', 'lake', rig.names.target, '--from', 'in/days.csv', '--to', 'days']

  const tooMany = await cluster.cli([...words, '--skip-incompatible', '1', '--rejects', 'lake:rejects', '--json'])
  expect(tooMany.code).not.toBe(0)
  expect(await rig.target.query('select count(*)::int as n from days')).toEqual([{ n: 0 }])
  const view = await run([...words, ...SKIP])

  expect(view).toMatchObject({ status: 'succeeded', rowsWritten: 98, rowsSkipped: 2 })
  expect((await rejects(view.id)).map((line) => /no day|2026-02-30/.exec(line)?.[0])).toEqual(['no day', '2026-02-30'])
})

test('rows go to folders by their values, which a later copy reads back in their types', async () => {
  await rig.source.query(`create table visits as
    select n as id, 2024 + n % 3 as year, (array['Ulm', 'a/b', null])[1 + n % 3] as town from generate_series(1, 300) n`)
  const folders = ['--partition-by', 'year', '--partition-by', 'town']

  const view = await run(['copy', rig.names.source, 'lake', '--from', 'visits', '--to', 'visits.csv/', ...folders])
  const back = await run(['copy', 'lake', rig.names.target, '--from', 'visits.csv/', '--to', 'visits'])

  expect([view.rowsWritten, back.rowsWritten]).toEqual([300, 300])
  expect((await readdir(join(folder.path, 'visits.csv'))).filter((name) => name.startsWith('year=')).sort()).toEqual([
    'year=2024',
    'year=2025',
    'year=2026',
  ])
  expect(await readdir(join(folder.path, 'visits.csv', 'year=2025'))).toEqual(['town=a%2Fb'])
  const rows = 'select id, year, town from visits order by id'
  expect(await rig.target.query(rows)).toEqual(await rig.source.query(rows))
})

test('a second copy with a watermark brings what is new, and a third nothing', async () => {
  await rig.source.query('create table log as select n as id, n * 2 as value from generate_series(1, 1000) n')
  const words = ['copy', rig.names.source, rig.names.target, '--from', 'log', '--to', 'log', '--watermark', 'id']
  const rows = async () => (await rig.target.query('select count(*)::int as n, count(distinct id)::int as ids, max(id) from log'))[0]

  expect((await run(words)).rowsWritten).toBe(1_000)
  await rig.source.query('insert into log select n, n * 2 from generate_series(1001, 1250) n')
  const second = await run(words)
  expect(second.rowsWritten).toBe(250)
  expect(second.notes.join('\n')).toContain('above 1000, up to 1250')
  expect((await run(words)).rowsWritten).toBe(0)

  expect(await rows()).toEqual({ n: 1_250, ids: 1_250, max: 1_250 })
})

test('1 MB/s for a run is 1 MB/s within a tenth, over all its parts', { timeout: 60_000 }, async () => {
  const limit = 1_000_000
  const view = await run([
    'copy',
    rig.names.source,
    rig.names.target,
    '--from',
    'orders',
    '--to',
    'limited',
    '--parts',
    '2',
    '--bytes-per-second',
    String(limit),
    '--verify',
    'none',
  ])

  const spans = view.tasks.filter(({ kind }) => kind === 'part').flatMap(({ attempts }) => attempts)
  const first = Math.min(...spans.map(({ startedAt }) => Date.parse(startedAt)))
  const last = Math.max(...spans.map(({ endedAt }) => Date.parse(endedAt ?? '')))
  const rate = view.bytesRead / ((last - first) / 1_000)
  expect(view.bytesRead).toBeGreaterThan(4 * limit)
  expect(rate / limit, `${view.bytesRead} bytes in ${last - first} ms`).toBeGreaterThan(0.9)
  expect(rate / limit, `${view.bytesRead} bytes in ${last - first} ms`).toBeLessThan(1.1)
})
