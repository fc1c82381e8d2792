/** Who is given which task, and when: by turns, within limits, where it is pinned to. */
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { expect, test, vi } from 'vitest'
import { moved, planOf, verified } from '../testing/fake-node.ts'
import { must, next, runRig } from '../testing/run-rig.ts'

test('a small copy goes from plan to finish in the answers to its reports, and then on to the next copy', async () => {
  const { service, node, copy, get } = await runRig()
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
  const { service, node, copy, get } = await runRig()
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
  const { service, node, copy } = await runRig()
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
  const { service, node, second, copy } = await runRig(2)
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
  const { service, node, second, copy, get } = await runRig(2)
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
  const { service, node, copy } = await runRig()
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
  const { service, node, copy } = await runRig()
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

test('a copy by a watermark is given where the last one that succeeded ended', async () => {
  const { service, node, copy } = await runRig()
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
