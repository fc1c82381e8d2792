/** Parts of a MariaDB table that show one moment: read by sessions whose transactions began while the table was locked. */
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { type OpenedStore, openPostgres, openStore } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

const missing = mysqlMissing()
const ROWS = 4_000
/** A moment has no more of them. */
const MOST_SESSIONS = 4

describe.skipIf(missing !== undefined)(`one moment of MariaDB${missing ? `: ${missing}` : ''}`, () => {
  let server: MysqlServer
  let mysql: MysqlDatabase
  /** Another connection to the same server. */
  let other: MysqlDatabase
  let database: TestDatabase
  let stores: { readonly crm: OpenedStore; readonly poor: OpenedStore; readonly shop: OpenedStore }
  let engine: Engine

  beforeAll(async () => {
    server = await MysqlServer.start()
    ;[mysql, other] = [await server.database(), await server.database()]
    database = await testDatabase()
    const { host, port, name, user, password } = mysql
    await mysql.query(`create user poor@'%' identified by 'poor-password'; grant select on ${name}.* to poor@'%'`)
    stores = {
      crm: await openStore('mysql', { host, port, database: name, user }, { password }),
      poor: await openStore('mysql', { host, port, database: name, user: 'poor' }, { password: 'poor-password' }),
      shop: await openPostgres(database),
    }
    engine = engineOver(stores)
  })

  afterAll(async () => {
    for (const each of [engine, ...Object.values(stores ?? {}), database, other, mysql, server]) await each?.[Symbol.asyncDispose]()
  })

  afterEach(() => engine.keepSnapshots([], engine.snapshots()))

  beforeEach(async () => {
    await database.query('drop table if exists accounts')
    await mysql.query(`drop table if exists accounts; create table accounts (id bigint primary key, balance bigint not null);
      insert into accounts select seq, 100 from seq_1_to_${ROWS}; analyze table accounts`)
  })

  const copy = (more: Partial<ConstructorParameters<typeof Run>[0]> = {}) =>
    new Run({
      source: 'crm',
      sink: 'shop',
      from: 'accounts',
      to: 'accounts',
      parts: 4,
      verify: 'checksum',
      read: { consistent: true },
      ...more,
    })
  const plan = (run: Run) => engine.execute(run.order('plan'), ignore, never())
  const part = (run: Run, index: number) => engine.execute(run.part(index), ignore, never())
  const copied = () => database.query<{ rows: number; sum: number }>('select count(*)::int as rows, sum(balance)::int as sum from accounts')
  /** Money goes from the first part to the last, an account ends, another begins. */
  const change = () =>
    mysql.query(`start transaction; update accounts set balance = balance - 50 where id <= 100;
      update accounts set balance = balance + 50 where id > ${ROWS - 100}; delete from accounts where id = 7;
      insert into accounts select max(id) + 1, 1 from accounts; commit`)
  const holding = async () =>
    Number(
      (
        await mysql.query<{ n: string }>(
          `select count(*) as n from information_schema.innodb_trx where trx_mysql_thread_id <> connection_id()`,
        )
      )[0]?.n,
    )

  /** The server shows its transactions as they were when nobody had asked for 100 ms. */
  const nothingOpen = () => waitFor('no transaction is open', holding, (open) => open === 0, { everyMs: 250 })

  test('is what all parts show, and what they are verified against, whatever is committed meanwhile', async () => {
    const run = copy()
    const planned = run.planned(await plan(run))
    for (const index of run.tasks.keys()) {
      await change()
      run.moved(index, await part(run, index))
    }
    await change()
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect(await copied()).toEqual([{ rows: ROWS, sum: ROWS * 100 }])
    expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: ROWS, targetRows: ROWS })
    expect(finish.verification.parts).toHaveLength(4)
    expect([planned.readHere, planned.holdsSnapshot]).toEqual([true, true])
    expect(planned.notes.join(' ')).toContain('read and verified under one snapshot of the source, all by the node that holds it')
    expect(planned.notes.join(' ')).not.toContain('do not change it meanwhile')
    await nothingOpen()
  })

  test('leaves nothing locked: others write while the copy goes on', async () => {
    const run = copy()
    run.planned(await plan(run))

    await mysql.query('set session lock_wait_timeout = 1, innodb_lock_wait_timeout = 1')
    await change()
    const held = await waitFor('its sessions are seen', holding, (open) => open > 0, { everyMs: 250 })
    await engine.keepSnapshots([], [run.id])

    expect(held).toBeGreaterThan(0)
    await nothingOpen()
  })

  test('has what a transaction had begun to write when it was taken, for that is waited for', async () => {
    await other.query(`start transaction; insert into ${mysql.name}.accounts values (${ROWS + 1}, 100)`)
    const run = copy()
    const planning = plan(run)
    await waitFor(
      'the lock is waited for',
      () => mysql.query<{ info: string }>(`select info from information_schema.processlist where info like 'lock tables%'`),
      (found) => found.length > 0,
    )
    await other.query('commit')
    run.planned(await planning)
    for (const index of run.tasks.keys()) run.moved(index, await part(run, index))

    expect(await copied()).toEqual([{ rows: ROWS + 1, sum: (ROWS + 1) * 100 }])
  })

  test('is not waited for without end: the copy is told that the store is busy, and tried again', { timeout: 60_000 }, async () => {
    await other.query(`start transaction; insert into ${mysql.name}.accounts values (${ROWS + 1}, 100)`)
    const refused = expectOutcome(await plan(copy()), 'failed')
    await other.query('rollback')

    expect(refused.fault).toMatchObject({ code: 'STORE_BUSY', message: expect.stringContaining('has not ended') })
  })

  test('that is lost is taken anew for the parts left', async () => {
    const run = copy()
    run.planned(await plan(run))
    run.moved(0, await part(run, 0))
    await mysql.query(
      `begin not atomic for t in (select trx_mysql_thread_id as id from information_schema.innodb_trx where trx_mysql_thread_id <> connection_id())
       do kill t.id; end for; end`,
    )
    const failed = async () => expectOutcome(await part(run, 1), 'failed').fault.code
    // Whose session dies while it reads has lost the store for now, as far as it can tell; its next attempt finds no session left.
    let lost = await failed()
    for (let tries = 0; tries < MOST_SESSIONS && lost === 'STORE_LOST'; tries += 1) lost = await failed()
    const again = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot')
    run.context = again.snapshot.context
    for (const index of [1, 2, 3]) run.moved(index, await part(run, index))
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect([lost, again.snapshot.readHere, finish.verification.status]).toEqual(['SNAPSHOT_LOST', true, 'passed'])
    expect(await copied()).toEqual([{ rows: ROWS, sum: ROWS * 100 }])
  })

  test('of another node is not known here', async () => {
    await using elsewhere = engineOver({ ...stores, crm: await openStore('mysql', settingsOf(mysql), { password: mysql.password }) })
    const run = copy()
    run.planned(await plan(run))

    const outcome = await elsewhere.execute(run.part(0), ignore, never())

    expect(expectOutcome(outcome, 'failed').fault.code).toBe('SNAPSHOT_LOST')
    await engine.keepSnapshots([], [run.id])
  })

  test('bounds an incremental copy too', async () => {
    const run = copy({ watermark: 'id', mode: 'append' })
    const planned = run.planned(await plan(run))
    await change()
    for (const index of run.tasks.keys()) run.moved(index, await part(run, index))
    const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

    expect([planned.watermark, finish.verification.status, await copied()]).toEqual([
      String(ROWS),
      'passed',
      [{ rows: ROWS, sum: ROWS * 100 }],
    ])
  })

  test.each([
    ['a user who may not lock', { source: 'poor' }, 'NOT_ALLOWED', 'grant lock tables on'],
    ['a statement in brackets', { from: '(select * from accounts)' }, 'COPY_UNSUPPORTED', 'Name a table'],
    ['a view', { from: 'seen' }, 'COPY_UNSUPPORTED', 'without consistent'],
    ['a table of MyISAM', { from: 'old' }, 'COPY_UNSUPPORTED', 'without consistent'],
  ])('is refused to %s, with what to do', async (_, request, code, remedy) => {
    await mysql.query(
      `create or replace view seen as select * from accounts; create or replace table old (id int primary key) engine = MyISAM`,
    )
    const refused = expectOutcome(await plan(copy(request)), 'failed')

    expect(refused.fault).toMatchObject({ code, remedy: expect.stringContaining(remedy) })
    await nothingOpen()
  })

  test('is not taken unless it is asked for: then each part shows its own, and the guarantee says so', async () => {
    const run = copy({ read: {} })
    const { notes } = { notes: (await runAll(engine, run)) && run.plan?.notes }

    expect(run.plan?.readHere).toBeUndefined()
    expect(notes?.join(' ')).toContain('mysql has no snapshots, so do not change it meanwhile')
  })
})

function settingsOf({ host, port, name, user }: MysqlDatabase) {
  return { host, port, database: name, user }
}
