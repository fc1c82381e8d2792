/** Runs that are begun again, and tasks that are tried again: what is done stays done. */
import { expect, test, vi } from 'vitest'
import { moved, planOf, verified } from '../testing/fake-node.ts'
import { failed, must, next, runRig } from '../testing/run-rig.ts'

test('a task is tried again as often as the copy says; a rerun a day later goes on with what is left', { timeout: 30_000 }, async () => {
  const { service, node, copy, get, again } = await runRig()
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
  const { service, node, copy, get, again } = await runRig()
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

test('a repair adds parts for what differs, and finishes with those that it does not replace', { timeout: 20_000 }, async () => {
  const { service, node, copy, get, again } = await runRig()
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
  const { service, node, copy, get, again } = await runRig()
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
  const { service, node, copy, get, again } = await runRig()
  await using _ = service
  const begun = async () => {
    const run = await copy()
    await node.finished(await node.pullOne('plan'), planOf([2, 1]))
    const [one, two] = await node.pull(9)
    await node.finished(must(one), moved(2))
    await again(run, 'cancel')
    // Asked for while the other part still runs: it waits for the clean-up.
    await again(run, 'rerun')
    await node.finished(must(two), failed('CANCELLED'))
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
