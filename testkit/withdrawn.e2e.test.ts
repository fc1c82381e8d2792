/** Rights that are withdrawn while something runs with them: a copy, a query, a connection of the wire; on real processes. */
import { Client } from '@postern/client/client.ts'
import type { AuditView } from '@postern/protocol/api/audit.ts'
import type { TokenCreated } from '@postern/protocol/api/tokens.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { waitFor } from './wait-for.ts'
import { lastError, wireClient } from './wire-client.ts'

let cluster: Cluster
let rig: CopyRig

beforeAll(async () => {
  cluster = await Cluster.start()
  rig = await CopyRig.make(cluster)
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
})

/** As the administrator; without a process for each. */
async function api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const { url, token } = cluster.service
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}
/** A service token that may use both stores by a grant each, which can be taken away. */
async function user(name: string): Promise<{ readonly client: Client; readonly made: TokenCreated; readonly grants: readonly string[] }> {
  const { source, target } = rig.names
  const made = await api<TokenCreated>('POST', '/v1/tokens', { name, roles: [{ role: 'reader', on: `store/${source}` }] })
  const give = (store: string) =>
    api<{ id: string }>('POST', '/v1/grants', { to: `token/${name}`, role: 'store-user', on: `store/${store}` })
  const grants = [(await give(source)).id, (await give(target)).id]
  return { made, grants, client: new Client({ url: cluster.service.url, token: made.token }) }
}
const auditOf = async (query: string) => (await api<{ items: AuditView[] }>('GET', `/v1/audit?limit=1000&${query}`)).items
/** Statements of the nodes that run in the source, and sleep. */
const sleeping = async () =>
  (
    await rig.source.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and query like '%pg_sleep(0.05)%' and state = 'active' and pid <> pg_backend_pid()`,
    )
  )[0]?.count
const tables = async () =>
  (
    await rig.target.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    )
  ).map(({ name }) => name)

test('a copy that moves rows ends on all nodes, takes away what it wrote aside, and goes on for who may', async () => {
  const { source, target } = rig.names
  const { client, grants } = await user('mover')
  rig.link.slow(400_000)
  const copy = { source, sink: target, from: 'orders', to: 'orders', mode: 'overwrite', rowsPerSecond: 2_000 } as const
  const { id } = await waitFor('the copy is taken', () => client.copy(copy))
  await waitFor(
    'rows move',
    () => cluster.client.runs.get(id),
    (run) =>
      run.tasks.some(({ kind, status, rowsRead }) => kind === 'part' && status === 'running' && rowsRead > 0) || run.endedAt !== null,
  )

  const from = performance.now()
  await api('DELETE', `/v1/grants/${grants[0]}`)
  const run = await cluster.ended(id, 30_000)
  const tookMs = performance.now() - from
  const cleaned = await waitFor(
    'it is cleaned up',
    () => cluster.client.runs.get(id),
    ({ tasks }) => tasks.some(({ kind, status }) => kind === 'cleanup' && status === 'succeeded'),
    { timeoutMs: 60_000 },
  )

  expect(run.status, story(run)).toBe('cancelled')
  expect(run.fault).toMatchObject({ code: 'RIGHTS_WITHDRAWN', remedy: expect.stringContaining('run rerun') })
  expect(run.fault?.message).toContain(`mover has not got runs:write on store ${source} any more.`)
  expect(tookMs).toBeLessThan(15_000)
  expect(cleaned.tasks.filter(({ status }) => status === 'running')).toEqual([])
  expect(await tables()).toEqual([])
  expect((await auditOf('action=run.cancel')).map(({ who, target: on, details }) => [who, on, details['actingFor']])).toEqual([
    ['service', `run ${id}`, 'mover'],
  ])
  const shown = await cluster.cli(['run', 'show', id])
  expect(shown.stdout + shown.stderr).toContain('has not got runs:write')

  rig.link.heal()
  await api('POST', `/v1/runs/${id}/rerun`)
  const again = await cluster.ended(id)
  expect(again.status, story(again)).toBe('succeeded')
}, 180_000)

test('a query that runs ends in the database too, before its first row and after; others go on', async () => {
  const { source } = rig.names
  const { client, grants } = await user('asker')
  const stays = await user('other')
  /** The rows, or what went wrong. */
  const ask = async (who: Client, sql: string) => {
    try {
      return await (await who.query(source, { sql, format: 'ndjson' })).rows()
    } catch (cause) {
      return cause
    }
  }
  for (const who of [client, stays.client]) await waitFor('the grant', async () => Array.isArray(await ask(who, 'select 1')))
  const before = ask(client, 'select count(pg_sleep(0.05)) from generate_series(1, 2000)')
  const after = ask(client, `select n, repeat('x', 10000) as filler, pg_sleep(0.05)::text as slept from generate_series(1, 2000) n`)
  const going = ask(stays.client, 'select count(pg_sleep(0.05)) from generate_series(1, 200)')
  await waitFor('they run', sleeping, (count) => count === 3)

  await api('DELETE', `/v1/grants/${grants[0]}`)

  expect(await before).toMatchObject({ code: 'RIGHTS_WITHDRAWN' })
  expect(await after).toBeInstanceOf(Error)
  expect(await going).toEqual([{ count: 200 }])
  await waitFor('nothing is left of them in the database', sleeping, (count) => count === 0)
  const records = await waitFor(
    'the records',
    () => auditOf('action=query.end'),
    (seen) => seen.length >= 1,
  )
  expect(records[0]).toMatchObject({ who: 'service', target: `store ${source}`, details: { caller: 'asker', code: 'RIGHTS_WITHDRAWN' } })
}, 120_000)

test('a connection of the wire ends with its token, and the audit says why', async () => {
  const { made, client } = await user('wired')
  await waitFor('the grant', () => client.query(rig.names.source, { sql: 'select 1' }))
  const wire = await wireClient({ token: made.token, postgresPort: cluster.service.postgresPort }, { store: rig.names.source })
  const ended = lastError(wire)

  await api('DELETE', `/v1/tokens/${made.id}`)

  expect(String(await ended)).toContain('The token is not valid')
  const closed = await waitFor(
    'its record',
    () => auditOf('who=wired&action=session.close'),
    (seen) => seen.length === 1,
  )
  expect(closed[0]?.details['ended']).toMatch(/The token is not valid/)
})
