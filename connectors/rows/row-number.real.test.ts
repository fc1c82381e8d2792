/** What a row is in its store's digest can be told of its text: held against the stores' own SQL, column by column. */
import { Secret, silentLog } from '@postern/base/log.ts'
import { MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { COMMON_COLUMNS, nastyMysqlTable } from '@postern/testkit/nasty-mysql.ts'
import { nastyTable } from '@postern/testkit/nasty-rows.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { expect, test } from 'vitest'
import type { Column, Encoding, Shape, Source } from '../copy-contract.ts'
import { mysql } from '../mysql/index.ts'
import { postgres } from '../postgres/index.ts'
import { rowBatches, rowBytes, rowForm, splitBatch } from './row-batches.ts'
import { numberOfRow } from './row-number.ts'

const signal = () => AbortSignal.timeout(60_000)
const LIMITS = { bytes: 1 << 20, rows: 1_000 }

/** The checksum of one column over all rows, of their text; null when one of them cannot be told. */
async function checksumOfText(source: Source, shape: Shape, column: Column, encoding: Encoding): Promise<string | null> {
  const [part] = await source.split(shape, { wanted: 1, snapshot: null }, signal())
  if (!part) throw new Error('no part')
  const { bytes } = await source.read({ shape, part, encoding, snapshot: null }, signal())
  let sum: bigint | undefined = 0n
  for await (const batch of rowBatches(bytes, rowForm(encoding), LIMITS)) {
    let rest = batch
    while (rest.rows > 0) {
      const [row, others] = splitBatch(rest, rowForm(encoding), 1)
      const number = numberOfRow(rowBytes(row), { columns: shape.columns, digested: [column], encoding })
      sum = sum === undefined || number === undefined ? undefined : sum + number
      rest = others
    }
  }
  return sum === undefined ? null : String(sum)
}

async function alike(source: Source, table: string, encodings: readonly Encoding[]): Promise<void> {
  const shape = await source.describe(table, {}, signal())
  for (const encoding of encodings) {
    for (const column of shape.columns) {
      const { checksum } = await source.digest({ shape, part: null, snapshot: null, columns: [column], checksum: true }, signal())

      expect(await checksumOfText(source, shape, column, encoding), `${column.name} as ${encoding}`).toBe(checksum)
    }
  }
}

test('of PostgreSQL, for every type and the nastiest values', async () => {
  await using db = await testDatabase()
  await nastyTable(db, 'nasty')
  const settings = { host: db.host, port: db.port, database: db.name, user: db.user, sslmode: 'disable' }
  const session = await postgres.open({ settings, secrets: { password: new Secret(db.password) }, log: silentLog, scratch: '/tmp' })
  await using _closing = session

  await alike(session.source as Source, 'nasty', ['pg-text', 'csv'])
})

test.skipIf(mysqlMissing() !== undefined)('of MySQL, with dates of zeros and times of more than a day', async () => {
  await using server = await MysqlServer.start()
  await using db = await server.database()
  await nastyMysqlTable(db, 'nasty', COMMON_COLUMNS)
  await db.query(`create table odd (d date, ts datetime(3), ti time(2), ok tinyint(1));
    insert into odd values ('0000-00-00', '0000-00-00 00:00:00', '-30:00:01.5', 5), ('2024-02-29', '9999-12-31 23:59:59.999', '838:59:59', null)`)
  const settings = { host: db.host, port: db.port, database: db.name, user: db.user }
  const session = await mysql.open({ settings, secrets: { password: new Secret(db.password) }, log: silentLog, scratch: '/tmp' })
  await using _closing = session

  await alike(session.source as Source, 'nasty', ['pg-text', 'csv'])
  await alike(session.source as Source, 'odd', ['pg-text', 'csv'])
})
