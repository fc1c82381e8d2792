import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { RunSummary, RunView } from '@postern/protocol/api/runs.ts'
import { expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

const RUNS = 60

/** Runs whose beginnings differ by microseconds, as those of a batch do. */
async function rig() {
  const service = await LocalService.start()
  await service.gateway(1)
  const run = await service.api<RunView>('POST', '/v1/copies', { source: 'shop', sink: 'lake', from: 'orders', to: 'orders/' })
  await service.database.query(`
    insert into run (id, gateway_id, gateway, name, status, started_by, copy, source_id, sink_id, notes, created_at, ended_at)
    select 'run_' || lpad(i::text, 20, '0'), gateway_id, gateway, 'shop:Table' || i || ' → lake:x', 'succeeded', 'night job', copy, source_id, sink_id,
           notes, timestamptz '2026-01-02 03:04:05.123456' + i / 2 * interval '1 microsecond', timestamptz '2026-01-02 03:05:00'
      from run, generate_series(1, ${RUNS}) as i
     where id = '${run.id}'`)
  const list = (query: string) => service.api<ListOf<RunSummary>>('GET', `/v1/runs?${query}`)
  return { service, run, list }
}

test('page after page shows every run once, newest first, however close they began', async () => {
  const { service, run, list } = await rig()
  await using _ = service

  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: ListOf<RunSummary> = await list(`limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  }

  const others = Array.from({ length: RUNS }, (_, index) => `run_${String(RUNS - index).padStart(20, '0')}`)
  expect(seen).toEqual([run.id, ...others])
})

test('a list is narrowed by what is in a name, by who started it, and to what is not over', async () => {
  const { service, run, list } = await rig()
  await using _ = service
  const ids = async (query: string) => (await list(query)).items.map(({ id }) => id)

  expect(await ids('status=active')).toEqual([run.id])
  expect(await ids('text=tABLE7%20')).toEqual(['run_00000000000000000007'])
  expect(await ids(`text=${run.id}`)).toEqual([run.id])
  expect(await ids('text=night&limit=1000')).toHaveLength(RUNS)
  expect(await ids('text=night&status=active')).toEqual([])
  expect(await ids('text=%25')).toEqual([])
})
