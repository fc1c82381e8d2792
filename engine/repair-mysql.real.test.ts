/** Copies into MariaDB that differ: the parts are named, and only those are copied again. */
import { mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MARIADB_DAMAGE, spoiling } from './testing/damage.ts'
import { type MysqlRig, mysqlRig } from './testing/mysql-rig.ts'
import { ordered, repaired, repairOrder } from './testing/repairing.ts'
import { engineOver, expectOutcome, ignore, never, Run } from './testing/rig.ts'

const missing = mysqlMissing()
const ROWS = 4_000
const TABLE = 'create table t (id bigint primary key, town varchar(40), name varchar(40), at datetime(6), note text)'

describe.skipIf(missing !== undefined)(`repair in MariaDB${missing ? `: ${missing}` : ''}`, () => {
  let rig: MysqlRig
  beforeAll(async () => {
    rig = await mysqlRig()
    await rig.database.query(`create table people as select i::bigint as id, 'town ' || i % 50 as town, 'name ' || i as name,
      timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute' as at, 'note ' || i as note from generate_series(1, ${ROWS}) i;
      alter table people add primary key (id); analyze people`)
  })
  afterAll(() => rig?.[Symbol.asyncDispose]())

  beforeEach(() => rig.mysql.query('drop table if exists child; drop table if exists t'))

  const copy = (more: Partial<ConstructorParameters<typeof Run>[0]> = {}) =>
    new Run({ from: 'people', to: 't', parts: 4, verify: 'checksum', ...more })
  const rows = () => rig.mysql.query(`select id, town, name, at, note from t order by id`)
  const right = async () => {
    const found = await rig.database.query<{ id: string; town: string; name: string; at: string; note: string }>(
      `select id::text, town, name, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at, note from people order by people.id`,
    )
    return found.map(({ id, ...rest }) => ({ id: Number(id), ...rest }))
  }
  const same = async () => expect((await rows()).map((row) => ({ ...row, id: Number(row['id']) }))).toEqual(await right())

  async function moved(run: Run, engine: ReturnType<typeof engineOver>) {
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  }
  const finished = async (run: Run, engine: ReturnType<typeof engineOver>) =>
    expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish.verification

  describe.each(['append', 'overwrite', 'upsert'] as const)('a copy that is to %s', (mode) => {
    const spoils = Object.keys(MARIADB_DAMAGE).filter((kind) => mode === 'overwrite' || !/twice|in place/.test(kind))

    test.each(spoils)('into a target that %s in one part is repaired by that part alone', async (kind) => {
      if (mode === 'append') await rig.mysql.query(TABLE)
      let on = true
      const bad = (given: readonly string[]) =>
        given.some((row) => row.startsWith('1201\t')) ? (MARIADB_DAMAGE[kind]?.(given) ?? given) : given
      await using engine = engineOver({ shop: rig.stores.shop, lake: spoiling(rig.stores.crm, swapTexts(kind, bad), () => on) })
      const run = copy({ mode, key: ['id'] })
      await moved(run, engine)
      const before = await finished(run, engine)
      on = false

      const { again, verification } = await repaired(run, engine)

      expect(before.status).toBe('failed')
      expect(before.parts?.filter(({ status }) => status === 'differs').map(({ name }) => name)).toEqual(['id 1001 to 2000'])
      expect([again, verification.status]).toEqual([['id 1001 to 2000 (again)'], 'passed'])
      await same()
    })
  })

  test('rows that somebody has changed or deleted in a table since are put right, also once the copy had succeeded', async () => {
    await rig.mysql.query(TABLE)
    await using engine = engineOver({ shop: rig.stores.shop, lake: rig.stores.crm })
    const run = copy()
    await moved(run, engine)
    expect((await finished(run, engine)).status).toBe('passed')
    await rig.mysql.query(`update t set name = 'somebody' where id between 2990 and 3010; delete from t where id = 5`)

    const { again, verification } = await repaired(run, engine)

    expect([again.toSorted(), verification.status]).toEqual([
      ['id 1 to 1000 (again)', 'id 2001 to 3000 (again)', 'id 3001 to 4000 (again)'],
      'passed',
    ])
    await same()
  })

  test('a row of somebody else stays, and is told', async () => {
    await rig.mysql.query(TABLE)
    await using engine = engineOver({ shop: rig.stores.shop, lake: rig.stores.crm })
    const run = copy()
    await moved(run, engine)
    await rig.mysql.query(`insert into t (id, name) values (0, 'of others')`)

    const { verification } = await repaired(run, engine)

    expect(verification.status).toBe('failed')
    expect(await rig.mysql.query('select name from t where id = 0')).toEqual([{ name: 'of others' }])
    await rig.mysql.query('delete from t where id = 0')
    await same()
  })

  test('a part that is repaired twice at once is there once', async () => {
    let on = true
    const bad = (given: readonly string[]) => (on && given.some((row) => row.startsWith('1201\t')) ? given.slice(0, -1) : given)
    await using engine = engineOver({ shop: rig.stores.shop, lake: spoiling(rig.stores.crm, bad) })
    const run = copy({ mode: 'overwrite' })
    await moved(run, engine)
    await finished(run, engine)
    on = false
    const [index = 0] = ordered(run, expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'repaired'))

    const both = await Promise.all([1, 2].map((attempt) => engine.execute(run.part(index, attempt), ignore, never())))
    const last = await engine.execute(run.part(index, 3), ignore, never())
    run.moved(index, last)

    expect(both.some(({ outcome }) => outcome === 'moved')).toBe(true)
    expect((await finished(run, engine)).status).toBe('passed')
    await same()
  })

  test.each([
    ['without a key', 'create table t (id bigint, town text, name text, at datetime(6), note text)', 'unique index'],
    [
      'on which rows of others hang',
      `${TABLE} engine = InnoDB; create table child (p bigint, foreign key (p) references t (id))`,
      'foreign keys',
    ],
    ['that had rows before', `${TABLE}; insert into t (id, name) values (0, 'before')`, 'what was there before'],
  ])('a table %s is refused, and nothing is changed', async (_, tables, why) => {
    await rig.mysql.query(tables)
    await using engine = engineOver({ shop: rig.stores.shop, lake: rig.stores.crm })
    const run = copy()
    await moved(run, engine)
    await rig.mysql.query('delete from t where id = 5')
    const before = await rows()

    const refused = await engine.execute(repairOrder(run), ignore, never())

    expect(expectOutcome(refused, 'failed').fault).toMatchObject({ code: 'COPY_UNSUPPORTED', message: expect.stringContaining(why) })
    expect((await finished(run, engine)).status).toBe('failed')
    expect(await rows()).toEqual(before)
  })
})

/** The first column is the key and a number: the two that are swapped come after it. */
function swapTexts(kind: string, spoil: (rows: readonly string[]) => readonly string[]): (rows: readonly string[]) => readonly string[] {
  if (kind !== 'swaps two columns') return spoil
  return (rows) => {
    if (!rows.some((row) => row.startsWith('1201\t'))) return rows
    return rows.map((row) => {
      const [id, town, name, ...rest] = row.split('\t')
      return [id, name, town, ...rest].join('\t')
    })
  }
}
