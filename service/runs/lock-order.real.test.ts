import { expect, test, vi } from 'vitest'
import { planOf } from '../testing/fake-node.ts'
import { runRig } from '../testing/run-rig.ts'

test('a copy is cancelled while its parts report and its node beats without pause: none of them waits for another in a circle', {
  timeout: 60_000,
}, async () => {
  const { service, node, copy, again } = await runRig()
  await using _ = service
  const refused = new Set<string>()

  for (let round = 0; round < 3; round += 1) {
    const run = await copy()
    await node.finished(await node.pullOne('plan'), planOf(Array(40).fill(1)))
    const parts = await node.pull(40)
    node.running = parts.map(({ task, attempt }) => ({ task, attempt }))
    let over = false
    let done = 0
    const unceasing = async (work: () => Promise<unknown>) => {
      while (!over) {
        await work().catch(({ message }: Error) => refused.add(/"code":"(\w+)"/.exec(message)?.[1] ?? message))
        done += 1
      }
    }
    const all = [...parts.map((part) => () => node.progress(part, { rowsRead: 1 })), () => node.beat(), () => node.beat()].map(unceasing)
    await vi.waitUntil(() => done > 200, { timeout: 10_000 })

    await again(run, 'cancel')
    over = true
    await Promise.all(all)
    node.running = []
    await node.beat()
    await node.finished(await node.pullOne('cleanup'), { outcome: 'cleaned', kept: 0 })
  }

  // What is reported of a part that was cancelled meanwhile is told so, and nothing worse.
  expect([...refused]).toEqual(['ATTEMPT_STALE'])
})
