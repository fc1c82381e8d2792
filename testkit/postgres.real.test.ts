import { expect, test } from 'vitest'
import { testDatabase, testTemplate } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'

test('a test database is fresh, and gone at the end of its scope', async () => {
  await using watcher = await testDatabase()
  let name: string
  {
    await using database = await testDatabase()
    name = database.name
    await database.query('create table t (a int); insert into t values (1), (2)')
    expect(await database.query('select count(*)::int as n from t')).toEqual([{ n: 2 }])
  }

  expect(await watcher.query('select 1 from pg_database where datname = $1', [name])).toEqual([])
})

test('a template is filled once, whoever asks first, and copies start from it', async () => {
  let fills = 0
  const ask = () =>
    testTemplate(`kit_${process.pid}`, async (database) => {
      fills += 1
      await database.query('create table t as select generate_series(1, 10) as a')
    })

  const [template] = await Promise.all([ask(), ask(), ask()])

  await using database = await testDatabase(template === undefined ? {} : { template })
  expect(await database.query('select count(*)::int as n from t')).toEqual([{ n: 10 }])
  expect(fills).toBe(1)
})

test('a server that is killed has its rows again after a restart', async () => {
  await using server = await PostgresServer.start()
  await using database = await testDatabase({ server })
  await database.query('create table t as select 1 as a')
  const held = await database.connect()

  await server.kill()
  await expect(held.query('select 1')).rejects.toThrow()
  await server.restart()

  const again = await database.connect()
  expect((await again.query('select a from t')).rows).toEqual([{ a: 1 }])
})
