import type { RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { expect, test, vi } from 'vitest'
import { type FakeNode, moved, planOf, type Report, verified } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'

const COPY = { source: 'shop', sink: 'lake', from: 'orders', to: 'orders/' }
const failed = (code: 'STORE_UNREACHABLE' | 'STORE_BUSY'): Report => ({
  outcome: 'failed',
  fault: { ...new Fault(code, { at: 'shop' }).toJSON(), details: {} },
  counters: moved(0).counters,
})

async function rig(nodes = 1) {
  const service = await LocalService.start()
  const [node, second] = (await service.gateway(nodes)) as [FakeNode, FakeNode]
  await vi.waitFor(async () => expect((await node.beat()).dispatcher.mine).toBe(true), { timeout: 8_000 })
  const copy = (more = {}) => service.api<RunView>('POST', '/v1/copies', { ...COPY, ...more })
  const get = (run: RunView) => service.api<RunView>('GET', `/v1/runs/${run.id}`)
  const again = (run: RunView, how: 'rerun' | 'repair' | 'cancel') => service.api<RunView>('POST', `/v1/runs/${run.id}/${how}`)
  return { service, node, second, copy, get, again }
}

/** What a report that asks for more is answered. */
const next = async (node: FakeNode, { task, attempt, epoch }: TaskOrder, report: Report) => {
  const path = `/v1/node/tasks/${task}/attempts/${attempt}/finished`
  return (await node.call<{ next: TaskOrder | null }>(path, { epoch, more: true, ...report })).next ?? undefined
}
const must = (order: TaskOrder | undefined): TaskOrder => {
  if (!order) throw new Error('an order was expected')
  return order
}

test('a small copy goes from plan to finish in the answers to its reports, and then on to the next copy', async () => {
  const { service, node, copy, get } = await rig()
  await using _ = service
  const [first, second] = [await copy(), await copy()]

  const plan = await node.pullOne('plan')
  const part = must(await next(node, plan, planOf([10])))
  const finish = must(await next(node, part, moved(10)))
  const other = must(await next(node, finish, verified()))

  expect([part, finish, other].map(({ kind, run }) => [kind, run])).toEqual([
    ['part', first.id],
    ['finish', first.id],
    ['plan', second.id],
  ])
  expect(await get(first)).toMatchObject({ status: 'succeeded', nodes: [{ node: 'a', tasks: 3, rowsWritten: 10 }], queuedTasks: 0 })
  expect(await get(second)).toMatchObject({ status: 'running', tasks: [{ status: 'running', node: 'a' }] })
  // Said again, a report is answered, but gives nothing twice.
  expect(await next(node, finish, verified())).toBeUndefined()
  expect((await node.beat()).stop).toEqual([])
})

test('no more parts move at a time than the copy allows, over all nodes, and the others wait in the queue', async () => {
  const { service, node, copy, get } = await rig()
  await using _ = service
  const run = await copy({ parallel: 2 })
  await node.finished(await node.pullOne('plan'), planOf([5, 4, 3, 2]))

  const [one, two, ...more] = await node.pull(10)
  await service.database.query(`update task set ready_at = ready_at - interval '1 minute' where status = 'ready'`)
  const seen = await get(run)

  expect(more).toEqual([])
  expect(seen).toMatchObject({ queuedTasks: 2, queuePosition: 0, hint: expect.stringContaining('let more (parallel)') })
  expect(seen.queueMs).toBeGreaterThan(59_000)
  const third = must(await next(node, must(one), moved(1)))
  const fourth = must(await next(node, must(two), moved(1)))
  expect((await get(run)).times.queueMs).toBeGreaterThan(119_000)
  expect(await next(node, third, moved(1))).toBeUndefined()
  expect(must(await next(node, fourth, moved(1))).kind).toBe('finish')
})

test('the queue of a gateway is of any length, and is shown with the time that its first task waits', async () => {
  const { service, node, copy } = await rig()
  await using _ = service
  const run = await copy()
  await node.finished(await node.pullOne('plan'), planOf(Array(10_000).fill(1)))
  await service.database.query(`update task set ready_at = ready_at - interval '1 hour' where status = 'ready'`)
  const small = await copy()

  const orders = await node.pull(3)
  expect(orders.map((order) => order.run)).toEqual(expect.arrayContaining([run.id, small.id]))
  const view = await vi.waitUntil(
    async () => {
      const gateway = await service.api<{ queue: { tasks: number; waitedMs: number } }>('GET', '/v1/gateways/demo')
      return gateway.queue.tasks === 9_998 && gateway
    },
    { timeout: 5_000 },
  )

  expect(view.queue.waitedMs).toBeGreaterThan(3_599_000)
  expect(await (await service.fetch('GET', '/metrics')).text()).toContain('postern_queued_tasks{gateway="demo"} 9998')
})

test('10,000 parts are finished in one order, which also goes by the service', { timeout: 60_000 }, async () => {
  const { service, node, second, copy } = await rig(2)
  await using _ = service
  await copy()
  await node.finished(await node.pullOne('plan'), planOf(Array(10_000).fill(1)))
  await service.database.query(`
    update task set status = 'succeeded', result = jsonb_build_object('rows', 1, 'filler', repeat('x', 200)) where kind = 'part' and place > 1`)
  const last = await node.pullOne('part')
  const finish = must(await next(node, last, moved(1)))
  second.handlers['/task'] = (stream, body) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify({ accepted: (body as TaskOrder).parts?.length === 10_000, reason: null }))
  }

  expect(finish.parts).toHaveLength(10_000)
  expect(await node.call('/v1/node/relay-dispatch', { worker: second.id, order: finish })).toEqual({ accepted: true, reason: null })
})

test('a copy that is pinned to a node waits for it, and holds up nothing else', async () => {
  const { service, node, second, copy, get } = await rig(2)
  await using _ = service
  const pinned = await copy({ node: 'b' })
  const other = await copy()
  const pull = async (free: readonly { node: string; slots: number }[]) =>
    (await node.call<{ orders: TaskOrder[] }>('/v1/node/pull', { epoch: node.epoch, max: 9, free })).orders

  const here = await pull([{ node: node.id, slots: 9 }])
  const there = await pull([{ node: second.id, slots: 1 }])

  expect(here.map(({ run, node: pin }) => [run, pin])).toEqual([[other.id, null]])
  expect(there.map(({ run, node: pin }) => [run, pin])).toEqual([[pinned.id, second.id]])
  await expect(copy({ node: 'z' })).rejects.toThrow('NODE_UNKNOWN')
  await second.finished(must(there[0]), planOf([1, 1]))
  await second.die()
  await vi.waitFor(async () => expect((await get(pinned)).hint).toContain('pinned to node b'), { timeout: 10_000 })
})

test('a store has no more copy tasks at a time than its limit allows, whoever asks', async () => {
  const { service, node, copy } = await rig()
  await using _ = service
  await service.api('PATCH', '/v1/stores/shop', { limits: { copyTasks: 1 } })
  await copy()
  await copy()

  const [first, ...more] = await node.pull(9)
  await node.finished(must(first), planOf([1, 1]))
  const parts = await node.pull(9)

  expect(more).toEqual([])
  expect(parts).toHaveLength(1)
})

test('a limit is shared by the parts that move, and they hear of it when their number changes', { timeout: 20_000 }, async () => {
  const { service, node, copy } = await rig()
  await using _ = service
  await service.api('PATCH', '/v1/stores/lake', { limits: { rowsPerSecond: 300, bytesPerSecond: 4_000 } })
  await copy({ bytesPerSecond: 2_000 })
  await node.finished(await node.pullOne('plan'), planOf([5, 4]))
  const progress = async ({ task, attempt, epoch }: TaskOrder) =>
    (await node.call<{ limits: unknown }>(`/v1/node/tasks/${task}/attempts/${attempt}/progress`, { epoch, ...moved(1).counters })).limits

  const [one, two] = await node.pull(9)
  expect(must(one).limits).toEqual({ rowsPerSecond: 150, bytesPerSecond: 1_000 })
  await node.finished(must(two), moved(4))

  await vi.waitFor(async () => expect(await progress(must(one))).toEqual({ rowsPerSecond: 300, bytesPerSecond: 2_000 }), { timeout: 5_000 })
  await service.api('PATCH', '/v1/stores/lake', { limits: { rowsPerSecond: null } })
  await vi.waitFor(async () => expect(await progress(must(one))).toEqual({ bytesPerSecond: 2_000 }), { timeout: 5_000 })
})

test('a task is tried again as often as the copy says; a rerun a day later goes on with what is left', { timeout: 30_000 }, async () => {
  const { service, node, copy, get, again } = await rig()
  await using _ = service
  const run = await copy({ retries: 2 })
  await node.finished(await node.pullOne('plan'), planOf([5, 4]))
  const [one, two] = await node.pull(9)
  await node.finished(must(one), moved(5))

  await node.finished(must(two), failed('STORE_UNREACHABLE'))
  // No free connection there: that is no failure of the task.
  await node.finished(await node.pullOne('part'), failed('STORE_BUSY'))
  for (let more = 0; more < 2; more += 1) await node.finished(await node.pullOne('part'), failed('STORE_UNREACHABLE'))
  expect(await get(run)).toMatchObject({ status: 'failed', fault: { code: 'STORE_UNREACHABLE' } })
  for (const [table, columns] of [
    ['run', ['created_at', 'started_at', 'ended_at', 'opened_at']],
    ['task', ['ready_at', 'started_at', 'ended_at']],
    ['attempt', ['started_at', 'seen_at', 'ended_at']],
  ] as const)
    await service.database.query(`update ${table} set ${columns.map((name) => `${name} = ${name} - interval '1 day'`).join(', ')}`)

  await again(run, 'rerun')
  const left = await node.pull(9)
  expect(left.map(({ task }) => task)).toEqual([must(two).task])
  await node.finished(must(left[0]), moved(4))
  await node.finished(await node.pullOne('finish'), verified())
  expect(await get(run)).toMatchObject({ status: 'succeeded', rowsWritten: 9 })
})

test('a copy whose time is over fails, what runs of it is stopped, and a rerun has as long again', { timeout: 20_000 }, async () => {
  const { service, node, copy, get, again } = await rig()
  await using _ = service
  const run = await copy({ timeoutMs: 60_000 })
  await node.finished(await node.pullOne('plan'), planOf([5]))
  const part = await node.pullOne('part')
  await node.started(part)

  await service.database.query(`update run set opened_at = opened_at - interval '1 minute'`)

  await vi.waitFor(async () => expect(await get(run)).toMatchObject({ status: 'failed', fault: { code: 'TIMED_OUT' } }), { timeout: 5_000 })
  expect((await node.beat()).stop).toEqual([{ task: part.task, attempt: part.attempt }])
  await again(run, 'rerun')
  node.running = []
  await node.finished(await node.pullOne('part'), moved(5))
  expect((await node.pullOne('finish')).run).toBe(run.id)
})

test('a copy by a watermark is given where the last one that succeeded ended', async () => {
  const { service, node, copy } = await rig()
  await using _ = service
  const ask = { watermark: 'id', mode: 'append' }
  const through = async (watermark: string | null) => {
    const plan = await node.pullOne('plan')
    const planned = planOf([1])
    if (planned.outcome !== 'planned') throw new Error('a plan')
    const part = must(await next(node, plan, { ...planned, plan: { ...planned.plan, watermark } }))
    await next(node, must(await next(node, part, moved(1))), verified())
    return plan.watermark
  }

  await copy(ask)
  expect(await through('100')).toBeNull()
  await copy(ask)
  expect(await through('250')).toBe('100')
  await copy({ ...ask, to: 'elsewhere/' })
  expect(await through('9')).toBeNull()
  await copy(ask)
  expect(await through('250')).toBe('250')
  await expect(copy({ ...ask, mode: 'overwrite' })).rejects.toThrow('watermark')
})

test('a repair adds parts for what differs, and finishes with those that it does not replace', { timeout: 20_000 }, async () => {
  const { service, node, copy, get, again } = await rig()
  await using _ = service
  const run = await copy()
  await node.finished(await node.pullOne('plan'), planOf([2, 1]))
  const [one, two] = await node.pull(9)
  await node.finished(must(one), moved(2))
  const finish = must(await next(node, must(two), moved(1)))
  await expect(again(run, 'repair')).rejects.toThrow('RUN_ACTIVE')
  await node.finished(finish, verified('failed'))

  await again(run, 'repair')
  const repair = await node.pullOne('repair')
  expect(repair.parts?.map(({ task }) => task)).toEqual([must(one).task, must(two).task])
  const found = { context: { of: 'repair' }, notes: ['part 2 is copied again'], replaces: [must(two).task] }
  await node.finished(repair, {
    outcome: 'repaired',
    repair: { ...found, parts: [{ name: 'part 2 again', estimatedRows: 1, spec: { index: 2 } }] },
  })
  const part = await node.pullOne('part')
  expect(part).toMatchObject({ spec: { index: 2 }, context: { of: 'repair' } })
  const last = must(await next(node, part, moved(1)))
  expect(last.parts?.map(({ task }) => task)).toEqual([must(one).task, part.task])
  await node.finished(last, verified())

  expect(await get(run)).toMatchObject({ status: 'succeeded', verification: { status: 'passed' }, fault: null })
})

test('a copy that has succeeded is looked at again by a repair, and finished again', { timeout: 20_000 }, async () => {
  const { service, node, copy, get, again } = await rig()
  await using _ = service
  const done = async (more = {}) => {
    const run = await copy(more)
    const plan = await node.pullOne('plan')
    await node.finished(must(await next(node, must(await next(node, plan, planOf([2]))), moved(2))), verified())
    return run
  }
  const run = await done()

  await again(run, 'repair')
  expect(await get(run)).toMatchObject({ status: 'queued', fault: null })
  const repair = await node.pullOne('repair')
  await node.finished(repair, { outcome: 'repaired', repair: { context: {}, notes: ['No part differs.'], replaces: [], parts: [] } })
  const finish = await node.pullOne('finish')
  expect(finish.parts).toHaveLength(1)
  await node.finished(finish, verified())

  expect(await get(run)).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
  await expect(again(await done({ verify: 'none' }), 'repair')).rejects.toThrow('INPUT_INVALID')
  await expect(again(await done({ watermark: 'id' }), 'repair')).rejects.toThrow('COPY_UNSUPPORTED')
})

test('a cancelled run goes on with what is in the target for good, and starts over where all was taken away', {
  timeout: 30_000,
}, async () => {
  const { service, node, copy, get, again } = await rig()
  await using _ = service
  const begun = async () => {
    const run = await copy()
    await node.finished(await node.pullOne('plan'), planOf([2, 1]))
    const [one, two] = await node.pull(9)
    await node.finished(must(one), moved(2))
    await again(run, 'cancel')
    // Asked for while the other part still runs: it waits for the clean-up.
    await again(run, 'rerun')
    const gone: Report = { outcome: 'failed', fault: { ...new Fault('CANCELLED').toJSON(), details: {} }, counters: moved(0).counters }
    await node.finished(must(two), gone)
    return { run, one: must(one), two: must(two), cleanup: await node.pullOne('cleanup') }
  }

  const kept = await begun()
  expect(kept.cleanup.parts?.map(({ task }) => task)).toEqual([kept.one.task, kept.two.task])
  await node.finished(kept.cleanup, { outcome: 'cleaned', kept: 1 })
  const left = await node.pullOne('part')
  expect(left).toMatchObject({ task: kept.two.task, attempt: 2, run: kept.run.id })
  await node.finished(must(await next(node, left, moved(1))), verified())
  expect(await get(kept.run)).toMatchObject({ status: 'succeeded', rowsWritten: 3 })

  const over = await begun()
  await node.finished(over.cleanup, { outcome: 'cleaned', kept: 0 })
  const plan = await node.pullOne('plan')
  // In the target it is another run: what a node that was cut off still writes cannot mix with it.
  expect(plan.run).not.toBe(over.run.id)
  const part = must(await next(node, plan, planOf([3], true)))
  node.snapshots = [plan.run]
  expect((await node.beat()).keepSnapshots).toEqual([plan.run])
  await node.finished(must(await next(node, part, moved(3))), verified())
  expect(await get(over.run)).toMatchObject({ status: 'succeeded', rowsWritten: 3 })
})
