import { silentLog } from '@postern/base/log.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { expect, test } from 'vitest'
import { Database } from './database.ts'
import { migrate, readMigrations } from './migrate.ts'

async function open(url: string): Promise<Database & AsyncDisposable> {
  const database = new Database({ target: () => ({ connectionString: url }), log: silentLog })
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.stop() })
}

test('migrations are applied once', async () => {
  await using server = await testDatabase()
  await using database = await open(server.url)
  const wanted = await readMigrations()

  expect(await migrate(database, silentLog)).toBe(wanted.length)
  expect(await migrate(database, silentLog)).toBe(0)
})

test('of several that migrate at once one does the work', async () => {
  await using server = await testDatabase()
  await using first = await open(server.url)
  await using second = await open(server.url)
  const wanted = await readMigrations()

  const applied = await Promise.all([migrate(first, silentLog), migrate(second, silentLog), migrate(first, silentLog)])

  expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, wanted.length])
})

test('a database of a newer version is left alone', async () => {
  await using server = await testDatabase()
  await using database = await open(server.url)
  await migrate(database, silentLog)
  await server.query(`insert into migration (number, name, checksum) values (9999, '9999-future.sql', 'x')`)

  await expect(migrate(database, silentLog)).rejects.toMatchObject({
    code: 'DATABASE_TOO_NEW',
    message: expect.stringContaining('9999-future.sql'),
  })
})

test('a migration that fails leaves nothing of itself', async () => {
  await using server = await testDatabase()
  await using database = await open(server.url)
  const text = 'create table half (id integer); select no_such_function();'

  await expect(migrate(database, silentLog, [{ number: 1, name: '0001-bad.sql', text, checksum: 'x' }])).rejects.toThrow('no_such_function')

  expect(await server.query(`select from pg_class where relname = 'half'`)).toEqual([])
  expect(await server.query('select from migration')).toEqual([])
})

test('bigints come back as numbers, and as text where a number cannot hold them', async () => {
  await using server = await testDatabase()
  await using database = await open(server.url)
  const client = await database.connect()

  const { rows } = await client.query('select 42::bigint as small, 9007199254740993::bigint as large')
  client.release()

  expect(rows).toEqual([{ small: 42, large: '9007199254740993' }])
})

test('a connection that dies while it is held fails its next statement, and nothing else', async () => {
  await using server = await testDatabase()
  await using database = await open(server.url)
  const client = await database.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const died = new Promise((resolve) => client.once('end', resolve))

  await server.query('select pg_terminate_backend($1)', [rows[0]?.pid])
  await died

  await expect(client.query('select 1')).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  client.release()
  await database.ping()
})

test.each([
  ['a closed port', 'postgres://x:y@127.0.0.1:1/z', /ECONNREFUSED/],
  ['a host that does not exist', 'postgres://x:y@no-such-host.invalid/z', /no-such-host.invalid/],
])('%s is a fault of one line that says why', async (_what, url, says) => {
  await using database = await open(url)

  const fault = await database.start().catch((cause: unknown) => cause)

  expect(fault).toMatchObject({ code: 'DATABASE_UNREACHABLE', message: expect.stringMatching(says) })
  expect((fault as Error).message).not.toContain('\n')
})
