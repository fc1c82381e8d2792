/** Values that only MySQL has, or has not: left out, by checksum. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BROKEN_CSV, leavingOut, rejected } from './testing/left-out.ts'
import { type MysqlRig, mysqlRig } from './testing/mysql-rig.ts'
import { runAll } from './testing/rig.ts'

const missing = mysqlMissing()

describe.skipIf(missing !== undefined)(`MySQL and the values that only it has${missing ? `: ${missing}` : ''}`, () => {
  let rig: MysqlRig
  beforeAll(async () => {
    rig = await mysqlRig()
    await rig.mysql.query(`create table odd (id int primary key, d date, ts datetime, ti time, ok tinyint(1));
      insert into odd values (1, '2024-02-29', '2024-02-29 12:00:00', '12:00:00', 1), (2, '0000-00-00', null, null, 0),
        (3, null, '0000-00-00 00:00:00', null, 1), (4, null, null, '30:00:00', 1), (5, null, null, null, 5), (6, null, null, null, null)`)
  })
  afterAll(() => rig?.[Symbol.asyncDispose]())

  test.each(['odd.parquet', 'odd.ndjson', 'odd.csv'])(
    'dates of zeros, hours beyond the day and other truths are left out of %s, by checksum',
    async (to) => {
      const run = leavingOut({ source: 'crm', sink: 'lake', from: 'odd', to, verify: 'checksum' })

      const { finish } = await runAll(rig.engine, run)

      expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
      expect((await rejected(rig.folder.path, run)).map(({ row }) => row)).toEqual([2, 3, 4, 5])
    },
  )

  test('they are left out of a table of PostgreSQL, by checksum', async () => {
    const run = leavingOut({ source: 'crm', sink: 'shop', from: 'odd', to: 'odd', verify: 'checksum' })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 6, targetRows: 2, notes: [] })
    expect((await rejected(rig.folder.path, run)).map(({ column }) => column)).toEqual(['d', 'ts', 'ti', 'ok'])
  })

  test('dates before Christ and infinity are left out of a table of MySQL, by checksum', async () => {
    await rig.database.query(
      `create table far as select * from (values (1, date '2024-01-01'), (2, '0044-03-15 BC'), (3, 'infinity'), (4, null)) as v (id, d)`,
    )
    const run = leavingOut({ source: 'shop', sink: 'crm', from: 'far', to: 'far', verify: 'checksum' })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 4, targetRows: 2, notes: [] })
    expect((await rejected(rig.folder.path, run)).map(({ row, column }) => [row, column])).toEqual([
      [2, 'd'],
      [3, 'd'],
    ])
  })

  test('broken lines of CSV are left out of a table of MySQL', async () => {
    await writeFile(join(rig.folder.path, 'lines.csv'), BROKEN_CSV)
    await rig.mysql.query('create table `lines` (id int, name text, amount int)')
    const run = leavingOut({ source: 'lake', sink: 'crm', from: 'lines.csv', to: 'lines' })

    const { finish } = await runAll(rig.engine, run)

    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 10, targetRows: 4 })
    expect((await rejected(rig.folder.path, run)).map(({ row }) => row)).toEqual([2, 4, 5, 7, 8, 9])
  })
})
