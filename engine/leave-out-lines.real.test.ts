/** Lines of files that cannot be read: left out one by one, in the right place, and the rows around them are there. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FilesRig, filesRig } from './testing/files-rig.ts'
import { BROKEN_CSV, leavingOut, rejected } from './testing/left-out.ts'
import { expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let rig: FilesRig

beforeAll(async () => {
  rig = await filesRig()
})

afterAll(() => rig?.[Symbol.asyncDispose]())

describe('lines of CSV that cannot be read', () => {
  beforeEach(() => rig.database.query('drop table if exists lines; create table lines (id int primary key, name text, amount int)'))

  test.each([',', ';'])('are left out of a table, those of "%s" too, and the rows around them are there', async (delimiter) => {
    await writeFile(join(rig.folder.path, 'lines.csv'), delimiter === ',' ? BROKEN_CSV : BROKEN_CSV.replaceAll(',', delimiter))
    const run = leavingOut({ source: 'lake', sink: 'shop', from: 'lines.csv', to: 'lines', read: { delimiter } })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 4 })
    expect(await rig.database.query('select id from lines order by id')).toEqual([{ id: 1 }, { id: 3 }, { id: 6 }, { id: 10 }])
    const left = await rejected(rig.folder.path, run)
    expect(left.map(({ row }) => row)).toEqual([2, 4, 5, 7, 8, 9])
    expect(left[0]?.error).toBe('file lines.csv, line 3, column 3: 3 columns expected, 2 found.')
    expect(left[4]).toMatchObject({ column: 'amount', data: expect.stringContaining('eighty') })
    expect(left[5]?.data.replaceAll(';', ',')).toBe('9,"no end,90')
  })

  test.each(['lines.parquet', 'lines.ndjson', 'lines3.csv/'])('are left out of %s, by checksum', async (to) => {
    await writeFile(join(rig.folder.path, 'source.csv'), BROKEN_CSV)
    const run = leavingOut({ source: 'lake', sink: 'lake', from: 'source.csv', to, mode: 'overwrite', verify: 'checksum' })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 5, notes: [] })
    expect((await rejected(rig.folder.path, run)).map(({ row }) => row)).toEqual([2, 4, 5, 7, 9])
  })

  test('fail the copy where none may be left out', async () => {
    await writeFile(join(rig.folder.path, 'lines.csv'), BROKEN_CSV)
    const run = new Run({ source: 'lake', sink: 'shop', from: 'lines.csv', to: 'lines', parts: 1 })

    run.planned(await rig.engine.execute(run.order('plan'), ignore, never()))
    const failed = await rig.engine.execute(run.part(0), ignore, never())

    expect(expectOutcome(failed, 'failed').fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('line') })
  })
})

const NDJSON = [
  '{"id": 1, "name": "plain", "day": "2024-01-01"}',
  '{"id": 2, "name": ',
  '[3]',
  '{"id": 04}',
  '',
  '{"id": 5, "name": "last", "day": "2024-01-05"}',
]

test.each(['lines.parquet', 'lines2.csv'])(
  'lines of NDJSON that are no object, and text that is no UTF-8, are left out of %s',
  async (to) => {
    const broken = Buffer.concat([Buffer.from(`${NDJSON.join('\n')}\n{"id": 6, "name": "`), Buffer.from([0xff]), Buffer.from('"}\n')])
    await writeFile(join(rig.folder.path, 'lines.ndjson'), broken)
    const run = leavingOut({ source: 'lake', sink: 'lake', from: 'lines.ndjson', to, mode: 'overwrite', verify: 'checksum' })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
    expect((await rejected(rig.folder.path, run)).map(({ row, error }) => [row, error])).toEqual([
      [2, 'file lines.ndjson, line 2, character 18: it is not JSON.'],
      [3, 'file lines.ndjson, line 3: it is JSON, but not an object.'],
      [4, expect.stringContaining('line 4, character')],
      [6, 'file lines.ndjson, line 7: the text is not UTF-8.'],
    ])
  },
)

test('values that are not of the types that a manifest declares are left out, and the place counts the broken lines before them', async () => {
  await runAll(
    rig.engine,
    new Run({ from: "(select i as id, date '2024-01-01' + i as day from generate_series(1, 3) i)", to: 'typed.csv/', parts: 1 }),
  )
  const path = join(rig.folder.path, 'typed.csv')
  const [name] = (await readdir(path)).filter((each) => each.startsWith('part-'))
  await writeFile(join(path, String(name)), 'id,day\n1,2024-01-01\n2\n3,2024-13-01\nfour,2024-01-04\n5,2024-01-05\n')
  const run = leavingOut({ source: 'lake', sink: 'lake', from: 'typed.csv/', to: 'typed.parquet' })

  const { finish } = await runAll(rig.engine, run)

  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 5, targetRows: 2 })
  expect((await rejected(rig.folder.path, run)).map(({ row, column, data }) => [row, column, data])).toEqual([
    [2, null, '2'],
    [3, 'day', '3,2024-13-01'],
    [4, 'id', 'four,2024-01-04'],
  ])
})
