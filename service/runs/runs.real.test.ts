import type { RunView } from '@postern/protocol/api/runs.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { expect, test, vi } from 'vitest'
import { type FakeNode, moved, planOf, verified } from '../testing/fake-node.ts'
import { failed, runRig } from '../testing/run-rig.ts'

async function plan(node: FakeNode, parts: readonly (number | null)[], holdsSnapshot = false) {
  const order = await node.pullOne('plan')
  await node.started(order)
  await node.finished(order, planOf(parts, holdsSnapshot))
  return order
}

test('a copy goes from its plan through its parts, in the order of the plan, to its finish', async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service

  const run = await copy()
  expect(run).toMatchObject({ status: 'queued', name: 'shop:orders → lake:orders/', guarantee: null, verification: { status: 'pending' } })
  const waiting = await plan(node, [30, 20, 10])
  expect(waiting).toMatchObject({
    run: run.id,
    attempt: 1,
    epoch: node.epoch,
    copy: { from: 'orders' },
    context: null,
    source: { name: 'shop' },
  })
  const parts = await node.pull()
  for (const order of parts) {
    await node.started(order)
    await node.progress(order, { rowsRead: 1 })
    await node.finished(order, moved((order.spec as { index: number }).index + 1))
  }
  const finish = await node.pullOne('finish')
  await node.finished(finish, verified())

  expect(parts.map(({ spec }) => spec)).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }])
  expect(parts[0]).toMatchObject({ kind: 'part', context: { of: 'plan' } })
  expect(finish.parts?.map(({ spec, result }) => [spec, result])).toEqual([0, 1, 2].map((index) => [{ index }, { rows: index + 1 }]))
  const done = await get(run)
  expect(done).toMatchObject({
    status: 'succeeded',
    guarantee: 'exactly-once',
    lane: 'binary',
    notes: ['planned', 'finished'],
    rowsRead: 6,
    rowsWritten: 6,
    bytesWritten: 60,
    verification: { status: 'passed' },
    fault: null,
  })
  expect(done.tasks.map(({ kind, status, node: by }) => `${kind} ${status} ${by}`)).toEqual([
    'plan succeeded a',
    'part succeeded a',
    'part succeeded a',
    'part succeeded a',
    'finish succeeded a',
  ])
  const { items } = await service.api<{ items: RunView[] }>('GET', '/v1/runs?status=succeeded&limit=1')
  expect(items[0]).toMatchObject({ id: run.id, rowsWritten: 6 })
})

test('a pull that is held open is woken at once, also by the end of the last part', async () => {
  const { service, node, copy } = await runRig()
  await using _ = service
  const held = node.pull()
  const from = performance.now()
  await copy()
  const [order] = await held
  expect(order?.kind).toBe('plan')
  expect(performance.now() - from).toBeLessThan(800)

  if (order) await node.finished(order, planOf([1]))
  const [part] = await node.pull()
  const next = node.pull()
  if (part) await node.finished(part, moved(1))

  expect((await next).map(({ kind }) => kind)).toEqual(['finish'])
})

test('only the dispatcher of now may pull, and a report of another epoch is stale', async () => {
  const { service, node, second, copy } = await runRig(2)
  await using _ = service
  await copy()

  await expect(second.pull(1, node.epoch)).rejects.toThrow('LEASE_LOST')
  await expect(node.pull(1, node.epoch + 1)).rejects.toThrow('LEASE_LOST')
  const order = await node.pullOne('plan')
  await expect(second.started({ ...order, epoch: order.epoch + 1 })).rejects.toThrow('ATTEMPT_STALE')
  await second.started(order)
  await expect(node.finished(order, planOf([1]))).rejects.toThrow('ATTEMPT_STALE')
  await second.finished(order, planOf([1]))
})

test('a report may be repeated, and one of an older attempt is refused', async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [1])
  const first = await node.pullOne('part')
  await node.finished(first, failed('STORE_UNREACHABLE'))
  await node.finished(first, failed('STORE_UNREACHABLE'))
  const second = await node.pullOne('part')
  expect([second.task, second.attempt]).toEqual([first.task, 2])

  await expect(node.started(first)).rejects.toThrow('ATTEMPT_STALE')
  await expect(node.finished(first, moved(1))).rejects.toThrow('ATTEMPT_STALE')
  await node.finished(second, moved(1))
  await node.finished(second, moved(1))

  expect((await get(run)).tasks[1]).toMatchObject({ status: 'succeeded', attempts: [{ status: 'failed' }, { status: 'succeeded' }] })
})

test('a fault that cannot pass fails the run with its words, and the other parts are stopped', async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [2, 1])
  const [first, second] = await node.pull()
  if (!first || !second) throw new Error('two parts expected')
  await node.started(first)
  await node.started(second)

  await node.finished(first, failed('TABLE_MISSING'))

  expect(await get(run)).toMatchObject({ status: 'failed', fault: { code: 'TABLE_MISSING', message: expect.stringContaining('shop') } })
  expect((await node.beat()).stop).toEqual([{ task: second.task, attempt: 1 }])
  await expect(node.progress(second, {})).rejects.toThrow('ATTEMPT_STALE')

  const again = await service.api<RunView>('POST', `/v1/runs/${run.id}/rerun`)
  expect(again.status).toBe('queued')
  node.running = []
  const retried = await node.pull()
  expect(retried.map(({ task, attempt }) => `${task} ${attempt}`).sort()).toEqual([first, second].map(({ task }) => `${task} 2`).sort())
  for (const order of retried) await node.finished(order, moved(1))
  await node.finished(await node.pullOne('finish'), verified())
  expect(await get(run)).toMatchObject({ status: 'succeeded', fault: null })
})

test('a verification that fails fails the run, and a rerun only finishes again', async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [1])
  await node.finished(await node.pullOne('part'), moved(1))
  await node.finished(await node.pullOne('finish'), verified('failed'))
  expect(await get(run)).toMatchObject({ status: 'failed', fault: { code: 'VERIFICATION_FAILED' }, verification: { status: 'failed' } })

  await service.api('POST', `/v1/runs/${run.id}/rerun`)
  await node.finished(await node.pullOne('finish'), verified())

  expect(await get(run)).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
})

test('a lost snapshot is taken anew once, and the parts left go on under it', async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [3, 2, 1], true)
  node.snapshots = [run.id]
  expect((await node.beat()).keepSnapshots).toEqual([run.id])
  const [first, second] = await node.pull(2)
  if (!first || !second) throw new Error('two parts expected')

  await node.finished(first, failed('SNAPSHOT_LOST'))
  const snapshot = await node.pullOne('snapshot')
  await node.finished(snapshot, { outcome: 'resnapshot', snapshot: { context: { of: 'snapshot' }, note: 'a second one' } })
  await node.finished(second, failed('SNAPSHOT_LOST'))
  const parts = await node.pull()

  expect(parts.map(({ kind, context }) => [kind, context])).toEqual(Array(3).fill(['part', { of: 'snapshot' }]))
  for (const order of parts) await node.finished(order, moved(1))
  await node.finished(await node.pullOne('finish'), verified())
  const done = await get(run)
  expect(done).toMatchObject({ status: 'succeeded', notes: ['planned', 'a second one', 'finished'] })
  expect(done.tasks.filter(({ kind }) => kind === 'snapshot')).toHaveLength(1)
  expect((await node.beat()).keepSnapshots).toEqual([])
})

test('parts that only one node can read go to it alone, and to whoever takes the snapshot anew when it takes no work any more', {
  timeout: 30_000,
}, async () => {
  const { service, node, second, copy, get } = await runRig(2)
  await using _ = service
  const run = await copy()
  const order = await node.pullOne('plan')
  await second.started(order)
  const planned = planOf([3, 2, 1], true)
  await second.finished(order, planned.outcome === 'planned' ? { ...planned, plan: { ...planned.plan, readHere: true } } : planned)
  second.snapshots = [run.id]
  const parts = await node.pull(1)
  for (const part of parts) {
    await second.started(part)
    await second.finished(part, moved(1))
  }

  await second.die()

  // As a dispatcher that says where there is room: at the node that is left.
  const free = [{ node: node.id, slots: 1 }]
  const pull = () => node.call<{ orders: TaskOrder[] }>(SERVICE_PATHS.pull, { epoch: node.epoch, max: 1, free })
  const snapshot = await vi.waitUntil(async () => (await pull()).orders[0], { timeout: 20_000 })
  await node.finished(snapshot, { outcome: 'resnapshot', snapshot: { context: { of: 'snapshot' }, note: 'a second one', readHere: true } })
  const again = await node.pull()
  for (const part of again) await node.finished(part, moved(1))
  const finish = await node.pullOne('finish')
  await node.finished(finish, verified())

  expect(parts.map((part) => [part.kind, part.node])).toEqual([['part', second.id]])
  expect([snapshot.kind, snapshot.node]).toEqual(['snapshot', null])
  expect(again.map((part) => [part.kind, part.node, part.context])).toEqual(Array(2).fill(['part', node.id, { of: 'snapshot' }]))
  expect(finish.node).toBe(node.id)
  expect(await get(run)).toMatchObject({ status: 'succeeded', notes: ['planned', 'a second one', 'finished'] })
})

test('the tasks of a node that died go to another, and what it says later is refused', { timeout: 30_000 }, async () => {
  const { service, node, second, copy, get } = await runRig(2)
  await using _ = service
  const run = await copy()
  await plan(node, [1])
  const lost = await node.pullOne('part')
  await second.started(lost)

  await second.die()

  // Another may only pull once the silence was noticed: link gone and no beat for 3 s, never before 8 s after the start of the service.
  const again = await vi.waitUntil(async () => (await node.pull(1))[0], { timeout: 20_000 })
  expect(again).toMatchObject({ task: lost.task, attempt: 2 })
  await expect(second.finished(lost, moved(1))).rejects.toThrow('ATTEMPT_STALE')
  await node.finished(again, moved(1))
  await node.finished(await node.pullOne('finish'), verified())
  expect((await get(run)).tasks[1]?.attempts).toMatchObject([{ node: 'b', status: 'lost', fault: { code: 'NODE_OFFLINE' } }, { node: 'a' }])
})

test('a cancelled run stops its tasks, then cleans up, and is cancelled', { timeout: 20_000 }, async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [2, 1])
  const part = await node.pullOne('part')
  await node.started(part)

  const cancelled = await service.api<RunView>('POST', `/v1/runs/${run.id}/cancel`)
  expect(cancelled.status).toBe('cancelled')
  const held = node.pull()
  expect((await node.beat()).stop).toEqual([{ task: part.task, attempt: 1 }])
  expect((await get(run)).tasks.at(-1)).toMatchObject({ kind: 'cleanup', status: 'waiting' })
  await node.finished(part, failed('CANCELLED'))
  const [cleanup] = await held
  expect(cleanup).toMatchObject({ kind: 'cleanup', context: { of: 'plan' } })
  if (cleanup) await node.finished(cleanup, { outcome: 'cleaned' })

  expect(await get(run)).toMatchObject({ status: 'cancelled', fault: null })
  await expect(service.api('POST', `/v1/runs/${run.id}/cancel`)).rejects.toThrow('RUN_FINISHED')
})

test('a run survives a restart of the service: what was running goes on', { timeout: 30_000 }, async () => {
  const { service, node, copy, get } = await runRig()
  await using _ = service
  const run = await copy()
  await plan(node, [1])
  const part = await node.pullOne('part')
  await node.started(part)

  await service.restart()
  await node.link()
  await vi.waitFor(async () => expect((await node.beat()).dispatcher.mine).toBe(true), { timeout: 10_000 })

  expect((await node.beat()).stop).toEqual([])
  await node.finished(part, moved(1))
  await node.finished(await node.pullOne('finish'), verified())
  expect(await get(run)).toMatchObject({ status: 'succeeded' })
})

test('what cannot work is refused before there is a run', async () => {
  const { service, copy } = await runRig()
  await using _ = service
  await expect(copy({ mode: 'upsert', key: ['id'] })).rejects.toThrow('COPY_UNSUPPORTED')
  await expect(copy({ source: 'nowhere' })).rejects.toThrow('STORE_UNKNOWN')
  await expect(service.api('GET', '/v1/runs/run_00000000000000000000')).rejects.toThrow('RUN_UNKNOWN')
})
