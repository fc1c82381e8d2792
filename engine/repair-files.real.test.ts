/** Repair of folders and files: the file of a part that differs is written again, and nothing else is touched. */
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from './engine.ts'
import { DAMAGE, spoiling } from './testing/damage.ts'
import {
  differing,
  makeOrders,
  type OpenedStore,
  openPostgres,
  openStore,
  type TemporaryFolder,
  temporaryFolder,
} from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run } from './testing/rig.ts'

/** The first two and the last can be damaged as text. */
const COLUMNS = 'code, id, day, at, town'
const FROM = `(select 'order ' || id as name, ${COLUMNS} from (select *, id::text as code from orders) as o)`
let database: TestDatabase
let shop: OpenedStore
let folder: TemporaryFolder
let files: OpenedStore

beforeAll(async () => {
  database = await testDatabase()
  await makeOrders(database, 2_000)
  shop = await openPostgres(database)
})

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  folder = await temporaryFolder()
  files = await openStore('files', { path: folder.path })
})

afterEach(async () => {
  await files[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

type Engine = ReturnType<typeof engineOver>

async function copied(run: Run, engine: Engine) {
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  return finished(run, engine)
}

async function finished(run: Run, engine: Engine) {
  return expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish.verification
}

/** As the service does it: the new parts stand in for those that they replace. */
async function repairOf(run: Run, engine: Engine) {
  const { repair } = expectOutcome(await engine.execute(run.order('repair', { parts: run.finish().parts }), ignore, never()), 'repaired')
  const again = repair.parts.map((part, at) => {
    const index = run.tasks.findIndex(({ id }) => id === repair.replaces[at])
    run.tasks[index] = { id: run.order('part').task, spec: part.spec }
    return index
  })
  return { again, names: repair.parts.map(({ name }) => name) }
}

/** Once a copy has succeeded its snapshot is gone: the service has a new one taken. */
async function movedAgain(run: Run, engine: Engine, index: number, attempt = 1): Promise<Outcome> {
  const outcome = await engine.execute(run.part(index, attempt), ignore, never())
  if (outcome.outcome !== 'failed' || outcome.fault.code !== 'SNAPSHOT_LOST') return outcome
  run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
  return await engine.execute(run.part(index, attempt), ignore, never())
}

async function repaired(run: Run, engine: Engine) {
  const { again, names } = await repairOf(run, engine)
  for (const index of again) run.moved(index, await movedAgain(run, engine, index))
  return { names, verification: await finished(run, engine) }
}

interface Manifest {
  readonly rows: number
  readonly files: readonly { readonly name: string; readonly part: number; readonly sha256: string }[]
}

const manifestOf = async (name: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder.path, name, '_manifest.json'), 'utf8')) as Manifest

/** The folder again as a table, held against the source. */
async function wrong(from: string): Promise<number> {
  await using engine = engineOver({ shop: files, lake: shop })
  await database.query(
    'drop schema copy cascade; create schema copy; create table copy.again (name text, code text, id bigint, day date, at timestamptz, town text)',
  )
  const verification = await copied(new Run({ from, to: 'copy.again', verify: 'counts' }), engine)
  expect(verification.status).toBe('passed')
  return differing(database, `${FROM} as o`, 'copy.again')
}

const visible = async (name: string) => (await readdir(join(folder.path, name))).toSorted()

describe.each(['csv', 'parquet', 'ndjson', 'csv.gz'])('a folder of .%s', (ending) => {
  test.each(Object.keys(DAMAGE))('whose writer %s in one part is repaired by that part alone, and published then', async (kind) => {
    let spoils = true
    const spoil = DAMAGE[kind] ?? ((rows: readonly string[]) => rows)
    const bad = (rows: readonly string[]) => (rows.some((row) => row.startsWith('order 1201,')) ? spoil(rows) : rows)
    await using engine = engineOver({ shop, lake: spoiling(files, bad, () => spoils) })
    const to = `orders.${ending}/`
    const run = new Run({ from: FROM, to, splitBy: 'id', parts: 4, verify: 'checksum' })

    expect((await copied(run, engine)).status).toBe('failed')
    expect(await readdir(folder.path)).not.toContain(`orders.${ending}`)
    spoils = false
    const { names, verification } = await repaired(run, engine)

    expect(names).toHaveLength(1)
    expect(names[0]).toMatch(/^id \d+ to \d+ \(again\)$/)
    expect(verification.status).toBe('passed')
    expect(await wrong(to)).toBe(0)
    expect((await readdir(folder.path)).filter((name) => name.includes('.postern-'))).toEqual([])
  })

  test.each(['append', 'overwrite'] as const)(
    '(%s) that was damaged after it was published gets a new file and a new manifest',
    async (mode) => {
      await using engine = engineOver({ shop, lake: files })
      const to = `orders.${ending}/`
      const run = new Run({ from: FROM, to, mode, splitBy: 'id', parts: 4, verify: 'checksum' })
      expect((await copied(run, engine)).status).toBe('passed')
      const old = await manifestOf(to)
      const [broken, ...others] = old.files.toSorted((a, b) => a.part - b.part)
      const path = join(folder.path, to, broken?.name ?? '')
      await truncate(path, Math.floor((await stat(path)).size * 0.7))
      const times = await Promise.all(others.map(async ({ name }) => (await stat(join(folder.path, to, name))).mtimeMs))

      const { names, verification } = await repaired(run, engine)

      expect(names).toHaveLength(1)
      expect(verification.status).toBe('passed')
      const now = await manifestOf(to)
      expect(now.rows).toBe(2_000)
      expect(now.files.filter(({ part }) => part !== broken?.part).map(({ name }) => name)).toEqual(others.map(({ name }) => name))
      expect(await Promise.all(others.map(async ({ name }) => (await stat(join(folder.path, to, name))).mtimeMs))).toEqual(times)
      expect(now.files.map(({ name }) => name)).not.toContain(broken?.name)
      expect(await visible(to)).toEqual(['_manifest.json', ...now.files.map(({ name }) => name)].toSorted())
      expect(await wrong(to)).toBe(0)
      expect((await readdir(folder.path)).filter((name) => name.includes('.postern-'))).toEqual([])
    },
  )
})

test('until the repair is verified, readers of a published folder see what they saw; a repair tried again goes on', async () => {
  await using engine = engineOver({ shop, lake: files })
  const run = new Run({ from: FROM, to: 'orders.csv/', splitBy: 'id', parts: 4, verify: 'checksum' })
  await copied(run, engine)
  const before = await readFile(join(folder.path, 'orders.csv/_manifest.json'), 'utf8')
  const name = (await manifestOf('orders.csv/')).files[1]?.name ?? ''
  await writeFile(join(folder.path, 'orders.csv', name), 'name,code,id,day,at,town\n')

  const { again } = await repairOf(run, engine)
  const [index = 0] = again
  run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
  const both = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(index, attempt), ignore, never())))
  for (const outcome of both) run.moved(index, outcome)
  expect(await readFile(join(folder.path, 'orders.csv/_manifest.json'), 'utf8')).toBe(before)
  expect((await finished(run, engine)).status).toBe('passed')
  const after = await readFile(join(folder.path, 'orders.csv/_manifest.json'), 'utf8')
  const late = await engine.execute(run.part(index, 3), ignore, never())

  expect(expectOutcome(late, 'moved').result).toMatchObject({ already: true })
  expect((await finished(run, engine)).status).toBe('passed')
  expect(await readFile(join(folder.path, 'orders.csv/_manifest.json'), 'utf8')).toBe(after)
  expect(await wrong('orders.csv/')).toBe(0)
})

test('a folder can be repaired twice, also the same part', async () => {
  await using engine = engineOver({ shop, lake: files })
  const run = new Run({ from: FROM, to: 'orders.parquet/', splitBy: 'id', parts: 3, verify: 'checksum' })
  await copied(run, engine)
  for (let time = 0; time < 2; time++) {
    const name = (await manifestOf('orders.parquet/')).files[0]?.name ?? ''
    await writeFile(join(folder.path, 'orders.parquet', name), 'no parquet at all, but long enough to be one')
    const { names, verification } = await repaired(run, engine)
    expect([names.length, verification.status]).toEqual([1, 'passed'])
  }
  expect(await wrong('orders.parquet/')).toBe(0)
})

test('one file, damaged after it was published, is written again', async () => {
  await using engine = engineOver({ shop, lake: files })
  const run = new Run({ from: FROM, to: 'orders.csv', verify: 'checksum' })
  await copied(run, engine)
  await truncate(join(folder.path, 'orders.csv'), 1_000)

  const { names, verification } = await repaired(run, engine)

  expect([names.length, verification.status]).toEqual([1, 'passed'])
  expect(await wrong('orders.csv')).toBe(0)
})

test('of files that were copied as they are, those of the part that differs are written again', async () => {
  await using from = await temporaryFolder()
  await using lake = await openStore('files', { path: from.path })
  for (let i = 0; i < 6; i++) await writeFile(join(from.path, `${i}.csv`), `id,name\n${i},of file ${i}\n`)
  await using engine = engineOver({ shop: lake, lake: files })
  const run = new Run({ from: '*.csv', to: 'all/', parts: 3, verify: 'checksum' })
  expect((await copied(run, engine)).status).toBe('passed')
  await writeFile(join(folder.path, 'all', '4.csv'), 'id,name\n4,of file X\n')

  const { names, verification } = await repaired(run, engine)

  expect([names.length, verification.status]).toEqual([1, 'passed'])
  expect(await visible('all/')).toEqual(['0.csv', '1.csv', '2.csv', '3.csv', '4.csv', '5.csv', '_manifest.json'])
  expect(await readFile(join(folder.path, 'all', '4.csv'), 'utf8')).toBe('id,name\n4,of file 4\n')
})
