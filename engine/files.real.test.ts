import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FilesRig, filesRig } from './testing/files-rig.ts'
import { differing, makeOrders, openStore } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const ROWS = 4_000

let rig: FilesRig

beforeAll(async () => {
  rig = await filesRig()
  await makeOrders(rig.database, ROWS)
})

afterAll(() => rig?.[Symbol.asyncDispose]())

beforeEach(async () => {
  await rig.database.query('drop schema copy cascade; create schema copy')
})

const back = { source: 'lake', sink: 'shop', to: 'copy.orders', verify: 'checksum' } as const
const names = async (path: string) => (await readdir(join(rig.folder.path, path))).filter((name) => !/^[._]/.test(name)).toSorted()

const ENDINGS = ['csv', 'csv.gz', 'csv.zst', 'tsv', 'ndjson', 'ndjson.gz', 'ndjson.zst', 'parquet'] as const

describe.each(ENDINGS)('through one %s file', (ending) => {
  test('every value comes back as it was', async () => {
    const path = `one/orders.${ending}`
    await rig.database.query('create table copy.orders (like orders)')

    const out = await runAll(rig.engine, new Run({ from: 'orders', to: path, verify: 'checksum' }))
    const home = await runAll(rig.engine, new Run({ ...back, from: path }))

    expect(out.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(home.finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(await differing(rig.database, 'orders', 'copy.orders')).toBe(0)
  })
})

describe.each(['csv', 'ndjson', 'parquet'] as const)('through a folder of %s files', (format) => {
  test('every value comes back as it was, and the parts are spread', async () => {
    await using store = await openStore('files', { path: rig.folder.path, format })
    await using other = engineOver({ ...rig.stores, lake: store })
    const path = `many-${format}/`
    await rig.database.query('create table copy.orders (like orders)')
    const run = new Run({ from: 'orders', to: path, parts: 4, verify: 'checksum' })

    const out = await runAll(other, run)
    const written = await names(path)
    const home = await runAll(other, new Run({ ...back, from: path, parts: 3 }))

    expect([run.plan?.parts.length, written.length]).toEqual([4, 4])
    expect(run.plan?.lane).toBe(format === 'csv' ? 'text' : 'columnar')
    expect(out.finish.verification.status).toBe('passed')
    expect(home.finish.verification.status).toBe('passed')
    expect(await differing(rig.database, 'orders', 'copy.orders')).toBe(0)
  })
})

test('a folder is not seen half written, and parts done twice are there once', async () => {
  await using store = await openStore('files', { path: rig.folder.path, format: 'parquet' })
  await using other = engineOver({ ...rig.stores, lake: store })
  const run = new Run({ from: 'orders', to: 'twice/', parts: 3, verify: 'checksum' })
  run.planned(await other.execute(run.order('plan'), ignore, never()))
  const both = await Promise.all(
    [...run.tasks.keys()].flatMap((index) =>
      [1, 2].map(async (attempt) => ({ index, outcome: await other.execute(run.part(index, attempt), ignore, never()) })),
    ),
  )
  for (const { index, outcome } of both) run.moved(index, outcome)
  const before = await names('twice').catch(() => [])

  const { finish } = expectOutcome(await other.execute(run.finish(), ignore, never()), 'finished')

  expect(before).toEqual([])
  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: ROWS })
  expect(await names('twice')).toHaveLength(3)
})

test('finishing a published folder again says passed and changes nothing', async () => {
  const run = new Run({ from: 'orders', to: 'again.parquet', verify: 'checksum' })
  await runAll(rig.engine, run)

  const { finish } = expectOutcome(await rig.engine.execute(run.finish(), ignore, never()), 'finished')

  expect(finish.verification).toMatchObject({ status: 'passed', targetRows: ROWS })
})

test('several parts into one file are refused before anything is written', async () => {
  const { fault } = expectOutcome(
    await rig.engine.execute(new Run({ from: 'orders', to: 'few.csv', parts: 2 }).order('plan'), ignore, never()),
    'failed',
  )

  expect(fault).toMatchObject({ code: 'INPUT_INVALID', remedy: expect.stringContaining('End the path with "/"') })
  expect((await readdir(rig.folder.path)).filter((name) => name.includes('few'))).toEqual([])
})

test('files onto themselves are refused', async () => {
  await mkdir(join(rig.folder.path, 'self'), { recursive: true })
  await writeFile(join(rig.folder.path, 'self/a.csv'), 'a,b\n1,2\n')
  const run = new Run({ source: 'lake', sink: 'lake', from: 'self/*.csv', to: 'self/', mode: 'overwrite' })

  const { fault } = expectOutcome(await rig.engine.execute(run.order('plan'), ignore, never()), 'failed')

  expect(fault).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('is what the copy reads') })
})

test('a broken line fails with its place and leaves the table empty', async () => {
  await writeFile(join(rig.folder.path, 'broken.csv'), `a,b\n${'1,2\n'.repeat(50)}oops\n`)
  const run = new Run({ source: 'lake', sink: 'shop', from: 'broken.csv', to: 'copy.broken' })
  let outcome = await rig.engine.execute(run.order('plan'), ignore, never())
  if (outcome.outcome === 'planned') {
    run.planned(outcome)
    outcome = await rig.engine.execute(run.part(0), ignore, never())
  }

  expect(expectOutcome(outcome, 'failed').fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('broken.csv') })
})
