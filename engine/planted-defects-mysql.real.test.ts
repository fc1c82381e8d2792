/** The check of the check, on MariaDB: each kind of damage turns the verification red, when it is done on the way and when it is done later. */
import { mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MARIADB_DAMAGE, spoiling } from './testing/damage.ts'
import { type MysqlRig, mysqlRig } from './testing/mysql-rig.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const missing = mysqlMissing()
const kinds = Object.keys(MARIADB_DAMAGE)

describe.skipIf(missing !== undefined)(`damage in MariaDB${missing ? `: ${missing}` : ''}`, () => {
  let rig: MysqlRig
  beforeAll(async () => {
    rig = await mysqlRig()
    await rig.database.query(`create table people as select 'town ' || i % 50 as town, 'name ' || i as name, 'p' || i as id, date '2020-01-01' + i as day,
      timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute' as at, 'note ' || i as note from generate_series(1, 300) i`)
  })
  afterAll(() => rig?.[Symbol.asyncDispose]())

  beforeEach(() => rig.mysql.query('drop table if exists t'))

  /** Green, or how it went red. */
  async function verdict(run: Run, spoil: string): Promise<string> {
    await using engine = engineOver({ shop: rig.stores.shop, lake: spoiling(rig.stores.crm, MARIADB_DAMAGE[spoil] ?? ((rows) => rows)) })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    const moved = await engine.execute(run.part(0), ignore, never())
    if (moved.outcome === 'failed') return moved.fault.code
    run.moved(0, moved)
    return expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish.verification.status
  }

  describe.each(['append', 'overwrite', 'upsert'] as const)('a table that takes rows to %s and', (mode) => {
    const copy = (verify: 'counts' | 'checksum') => new Run({ from: 'people', to: 't', mode, key: mode === 'upsert' ? ['id'] : [], verify })

    test.each(kinds)('%s is found by checksums', async (kind) => {
      // A key that is there twice is refused by the table itself.
      const twice = mode === 'upsert' && ['writes a row twice', 'writes one row in place of another'].includes(kind)
      expect(await verdict(copy('checksum'), kind)).toBe(twice ? 'ROW_INVALID' : 'failed')
      const there = await rig.mysql.query(
        `select table_name as name from information_schema.tables where table_schema = database() and table_name = 't'`,
      )
      if (mode === 'overwrite') expect(there).toEqual([])
    })

    test('drops the last row is found by counts', async () => {
      expect(await verdict(copy('counts'), 'drops the last row')).toBe('failed')
    })

    test('does no wrong passes', async () => {
      expect(await verdict(copy('checksum'), 'none')).toBe('passed')
    })
  })

  test.each([
    'delete from t order by id desc limit 1',
    'insert into t select * from t limit 1',
    'update t set town = name, name = town where id = "p7"',
    'update t set note = left(note, 5) where id = "p7"',
    'update t set at = at + interval 1 hour',
  ])('after the parts have moved, "%s" is found', async (change) => {
    await using engine = engineOver({ shop: rig.stores.shop, lake: rig.stores.crm })
    const run = new Run({ from: 'people', to: 't', verify: 'checksum' })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    run.moved(0, await engine.execute(run.part(0), ignore, never()))
    await rig.mysql.query(change)

    expect(expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished').finish.verification.status).toBe('failed')
  })

  test('a repair says that the rows of a part cannot be told apart there', async () => {
    await using engine = engineOver({ shop: rig.stores.shop, lake: rig.stores.crm })
    const run = new Run({ from: 'people', to: 't', verify: 'checksum' })
    await runAll(engine, run)

    const outcome = await engine.execute(run.order('repair', { parts: run.finish().parts }), ignore, never())

    expect(expectOutcome(outcome, 'failed').fault).toMatchObject({ code: 'COPY_UNSUPPORTED' })
  })
})
