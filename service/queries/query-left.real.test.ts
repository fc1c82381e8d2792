/** Clients that leave before their query has begun. */
import http from 'node:http'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { expect, test } from 'vitest'
import { answerRows } from '../testing/fake-node.ts'
import { queryRig } from '../testing/query-rig.ts'

test('who leaves while the database is asked which store it is has asked nothing of a node, and holds no place on one', async () => {
  const { service, node } = await queryRig(1, { queryConcurrency: 1 })
  await using _ = service
  let asked = 0
  node.handlers[NODE_PATHS.query] = (stream) => {
    asked += 1
    answerRows(stream, '[]', 0)
  }
  const holder = await service.database.connect()
  await holder.query('begin')
  await holder.query('lock table store in access exclusive mode')
  const headers = { ...service.headers, 'content-type': 'application/json' }
  const request = http.request(`${service.url}/v1/stores/shop/query`, { method: 'POST', headers, agent: false })
  request.on('error', () => undefined)
  request.end('{"sql":"select 1"}')
  await waitFor(
    'the service waits for its database',
    () => holder.query<{ n: number }>(`select count(*)::int as n from pg_locks where relation = 'store'::regclass and not granted`),
    ({ rows }) => (rows[0]?.n ?? 0) > 0,
  )

  request.destroy()
  // Later than the end of the other connection.
  for (let times = 0; times < 3; times += 1) await fetch(`${service.url}/healthz`)
  await holder.query('rollback')

  const ended = await waitFor(
    'the query has ended',
    () => service.api<{ items: QueryView[] }>('GET', '/v1/queries?store=shop'),
    ({ items }) => items.length === 1 && items[0]?.outcome !== 'running',
  )
  expect(ended.items[0]).toMatchObject({ outcome: 'cancelled', attempts: [], node: null })
  expect(asked).toBe(0)
})
