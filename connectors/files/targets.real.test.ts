import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { expect, test } from 'vitest'
import { column, shapeOf, soon, TestStore } from './testing/test-store.ts'

const SHAPE = shapeOf([column('id', 'int32'), column('code', 'text')])
const OLD = '1,007\n2,\n'
const NEW = ['3,008\n', '4,009\n5,"010"\n']

test('a single file has exactly the name that was asked for, and a header', async () => {
  await using store = await TestStore.open()

  await store.fill(SHAPE, 'a/b/orders.csv', [OLD])

  expect(await store.names()).toEqual(['a', 'a/b', 'a/b/orders.csv'])
  expect(await readFile(join(store.path, 'a/b/orders.csv'), 'utf8')).toBe('id,code\n1,007\n2,\n')
})

test('a folder gets a file a part and a manifest, and keeps the types of its columns', async () => {
  await using store = await TestStore.open()

  await store.fill(SHAPE, 'orders.csv/', NEW)

  const manifest = JSON.parse(await readFile(join(store.path, 'orders.csv/_manifest.json'), 'utf8'))
  expect(manifest).toMatchObject({ version: 1, run: 'run_a', format: 'csv', compression: 'none', rows: 3 })
  expect(manifest.files.map((file: { name: string; rows: number }) => [file.name, file.rows])).toEqual([
    ['part-00000-runa.csv', 1],
    ['part-00001-runa.csv', 2],
  ])
  const { shape, csv } = await store.read('orders.csv/')
  expect(shape.columns.map(({ type }) => type.is)).toEqual(['int32', 'text'])
  expect(csv.split('\n').sort()).toEqual(['', '3,008', '4,009', '5,010'])
})

test('files that the manifest does not list are passed over, and one that is gone is named', async () => {
  await using store = await TestStore.open()
  await store.fill(SHAPE, 'o.parquet/', NEW)
  await store.put('o.parquet/part-00007-zombie.parquet', 'not even parquet')

  expect((await store.read('o.parquet/')).rows).toBe(3)
  await rm(join(store.path, 'o.parquet/part-00001-runa.parquet'))
  const fault = await faultOf(store.session.source.describe('o.parquet/', {}, soon()))

  expect(fault.code).toBe('FILE_MISSING')
  expect(fault.message).toContain('part-00001-runa.parquet')
})

test('append does not touch what is there, overwrite replaces all of it', async () => {
  await using store = await TestStore.open()
  for (const where of ['one.csv', 'many.parquet/', 'foreign.csv/']) {
    if (where.startsWith('foreign')) await store.put('foreign.csv/other.csv', 'id,code\n1,007\n')
    else await store.fill(SHAPE, where, [OLD])

    expect((await faultOf(store.prepare(SHAPE, where, { run: 'run_b' }))).code).toBe('FILE_EXISTS')
    await store.fill(SHAPE, where, where.endsWith('/') ? NEW : [NEW.join('')], { run: 'run_b', mode: 'overwrite' })

    expect((await store.read(where)).rows).toBe(3)
  }
  expect((await readdir(join(store.path, 'many.parquet'))).sort()).toEqual([
    '_manifest.json',
    'part-00000-runb.parquet',
    'part-00001-runb.parquet',
  ])
  expect(await readdir(join(store.path, 'foreign.csv'))).not.toContain('other.csv')
  expect((await store.names()).filter((name) => name.includes('postern-'))).toEqual([])
})

test('publishing goes on where it was cut short, and twice is once', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'cut.csv/')
  const commits = [await store.write(target, NEW[0] ?? '', 0), await store.write(target, NEW[1] ?? '', 1)]
  const before = await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())
  // As a crash between two renames leaves it: one part has moved, and there is no manifest yet.
  await faultOf(store.publish(target, [...commits, { rows: 1, bytes: 1, attempt: 1 }]))
  expect(await readdir(join(store.path, 'cut.csv'))).toEqual(expect.arrayContaining(['part-00000-runa.csv']))
  const during = await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())

  await store.publish(target, commits)
  await store.publish(target, commits)

  const after = await store.session.sink.digest({ target, run: 'run_a', columns: target.columns, checksum: true }, soon())
  expect([during, after]).toEqual([before, before])
  expect((await store.read('cut.csv/')).rows).toBe(3)
  expect(await readdir(store.path)).toEqual(['cut.csv'])
})

test('a zombie that comes after another attempt, or after publishing, changes nothing', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'z.csv')
  const late = new Readable({ read: () => undefined })
  const zombie = store.write(target, late, 0, 'run_a', 1).catch((cause) => cause)
  const commit = await store.write(target, OLD, 0, 'run_a', 2)
  late.push('9,zombie\n')
  late.push(null)

  expect(Fault.from(await zombie).code).toBe('COMMIT_LOST')
  await store.publish(target, [commit])
  expect((await faultOf(store.write(target, '9,zombie\n', 0, 'run_a', 3))).code).toBe('ATTEMPT_STALE')
  expect(await readFile(join(store.path, 'z.csv'), 'utf8')).toBe(`id,code\n${OLD}`)
})

test('discard takes away staging and what an unfinished publish has moved, never what is published', async () => {
  await using store = await TestStore.open()
  const { sink } = store.session
  const target = await store.prepare(SHAPE, 'd.csv/')
  const commit = await store.write(target, OLD)
  await faultOf(store.publish(target, [commit, commit]))

  await sink.discard(target, 'run_a', soon())

  expect((await store.names()).filter((name) => name.includes('part-') || name.includes('postern-'))).toEqual([])
  const done = await store.fill(SHAPE, 'e.csv/', NEW)
  await sink.discard(done, 'run_a', soon())
  expect((await store.read('e.csv/')).rows).toBe(3)
})

test('eight copies from file to file at once end, though each holds two statements', async () => {
  await using store = await TestStore.open()
  const rows = Array.from({ length: 40_000 }, (_, i) => `${i},${'x'.repeat(80)}\n`).join('')
  await store.fill(SHAPE, 'from.parquet', [rows])
  const { source, sink } = store.session
  const shape = await source.describe('from.parquet', {}, soon())
  const target = await store.prepare(shape, 'to.parquet/')
  const [part] = await source.split(shape, { wanted: 1 })
  if (!part) throw new Error('no part')

  const commits = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const { bytes } = await source.read({ shape, part }, soon())
      return sink.write({ target, slot: { run: 'run_a', task: `tsk_${i}`, attempt: 1 }, part: i, bytes, agree: () => undefined }, soon())
    }),
  )

  expect(commits.map((commit) => commit.rows)).toEqual(Array(8).fill(40_000))
})

test('a big Parquet file is cut into row ranges that hold every row once', async () => {
  await using store = await TestStore.open()
  const rows = Array.from({ length: 300_000 }, (_, i) => `${i},x\n`).join('')
  await store.fill(SHAPE, 'big.parquet', [rows])
  const { source } = store.session
  const shape = await source.describe('big.parquet', {}, soon())

  const parts = await source.split(shape, { wanted: 3 })
  const digests = []
  for (const part of parts) digests.push(await source.digest({ shape, part, columns: shape.columns, checksum: true }, soon()))
  const whole = await source.digest({ shape, part: null, columns: shape.columns, checksum: true }, soon())

  expect(parts).toHaveLength(3)
  expect(digests.reduce((sum, digest) => sum + digest.rows, 0)).toBe(300_000)
  expect(String(digests.reduce((sum, digest) => sum + BigInt(digest.checksum ?? 0), 0n))).toBe(whole.checksum)
})

test('types of foreign CSV are those that every value fits', async () => {
  await using store = await TestStore.open()
  const lines = Array.from(
    { length: 5_000 },
    (_, i) => `${i},00${i},${i / 4},2024-01-0${(i % 9) + 1},2024-01-01T00:00:00Z,true,${i},03/04/2024,`,
  )
  await store.put('t.csv', `i,zip,f,day,at,b,late,us,none\r\n${lines.join('\r\n')}\r\n1,1,1,2024-01-01,2024-01-01 10:00:00+02,f,x,1,\r\n`)
  await store.put('semi.csv', '\uFEFFa;b\n12345678901234567890.12345;"x;y"\n1.5;z\n')

  const t = await store.session.source.describe('t.csv', {}, soon())
  const semi = await store.read('semi.csv')

  expect(t.columns.map(({ type }) => type.is)).toEqual(['int32', 'text', 'float64', 'date', 'timestamptz', 'bool', 'text', 'text', 'text'])
  expect(t.estimatedRows).toBe(5_001)
  expect(semi.shape.columns.map(({ name, type }) => [name, type])).toEqual([
    ['a', { is: 'decimal', precision: 38, scale: 5 }],
    ['b', { is: 'text' }],
  ])
  expect(semi.csv).toBe('12345678901234567890.12345,x;y\n1.50000,z\n')
})

test('names that look like globs are files like others', async () => {
  await using store = await TestStore.open()

  await store.fill(SHAPE, 'a[1]*?.parquet/', NEW)
  await store.fill(SHAPE, "b'[x].csv", [OLD])

  expect((await store.read('a[1]*?.parquet/')).rows).toBe(3)
  expect((await store.read("b'[x].csv")).rows).toBe(2)
  expect((await store.read('a*/*.parquet')).rows).toBe(3)
})

test('the folder is browsed without what is hidden, with sizes', async () => {
  await using store = await TestStore.open()
  await store.put('a/b.csv', 'x\n1\n')
  await store.put('.hidden', '')

  expect((await store.session.browse('', soon())).entries).toEqual([{ name: 'a', path: 'a/', type: 'folder' }])
  expect((await store.session.browse('a/', soon())).entries).toEqual([{ name: 'b.csv', path: 'a/b.csv', type: 'file', bytes: 4 }])
})

test('nothing of a session is left when it is closed', async () => {
  await using store = await TestStore.open()
  await store.fill(SHAPE, 'x.parquet', [OLD])

  await store.session[Symbol.asyncDispose]()

  expect(await readdir(store.scratch)).toEqual([])
  expect((await stat(join(store.path, 'x.parquet'))).size).toBeGreaterThan(0)
  expect((await faultOf(store.session.source.describe('x.parquet', {}, soon()))).code).toBe('STOPPING')
})
