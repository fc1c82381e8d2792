/** A source is never left with an open snapshot: not by a node that stops, nor by one that is killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { limit, testSession } from '@postern/testkit/postgres-session.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { expect, test } from 'vitest'
import { SNAPSHOT_LIMITS } from './snapshot.ts'

const OPEN = `select pid, state, query from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid() and (backend_xmin is not null or state like 'idle in transaction%')`

/** A process that holds a snapshot, as a node does. */
function holder(db: { host: string; port: number; name: string; user: string; password: string }): ChildProcess {
  const index = new URL('./index.ts', import.meta.url).href
  const log = new URL('../../base/log.ts', import.meta.url).href
  const settings = { host: db.host, port: db.port, database: db.name, user: db.user, sslmode: 'disable' }
  const code = `
    const { postgres } = await import(${JSON.stringify(index)}); const { Secret, silentLog } = await import(${JSON.stringify(log)});
    const session = await postgres.open({ settings: ${JSON.stringify(settings)}, secrets: { password: new Secret(process.env.DB_PASSWORD) }, log: silentLog, scratch: '/tmp' });
    const snapshot = await session.source.snapshot(AbortSignal.timeout(20000));
    console.log(snapshot.id); setInterval(() => undefined, 1000);`
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, DB_PASSWORD: db.password },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('when the process that holds it is killed, the snapshot is gone at once', async () => {
  await using on = await testSession()
  const child = holder(on.db)
  const [id] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  const before = await on.db.query(OPEN)

  child.kill('SIGKILL')

  expect(String(id)).toMatch(/^[0-9A-F]+-/)
  expect(before).toHaveLength(1)
  await waitFor(
    'no transaction is open',
    () => on.db.query(OPEN),
    (open) => open.length === 0,
  )
})

test('the server ends it by itself when nothing is heard of it, and a held one is heard of in time', async () => {
  await using on = await testSession()
  await using snapshot = await on.source.snapshot?.(limit())

  expect(snapshot?.id).not.toBe('')
  expect(SNAPSHOT_LIMITS.beatMs * 3).toBeLessThan(SNAPSHOT_LIMITS.idleMs)
  expect(await on.db.query(OPEN)).toMatchObject([{ state: 'idle in transaction' }])
})

test('closing it, twice too, leaves no transaction', async () => {
  await using on = await testSession()
  const snapshot = await on.source.snapshot?.(limit())
  await snapshot?.[Symbol.asyncDispose]()
  await snapshot?.[Symbol.asyncDispose]()

  expect(await on.db.query(OPEN)).toEqual([])
})
