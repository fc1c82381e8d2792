import type { RunView } from '@postern/protocol/api/runs.ts'
import { expect, test, vi } from 'vitest'
import { planOf } from '../testing/fake-node.ts'
import { LocalService } from '../testing/local-service.ts'

test('a copy is cancelled while its parts report and its node beats without pause: none of them waits for another in a circle', {
  timeout: 60_000,
}, async () => {
  await using service = await LocalService.start()
  const [node] = await service.gateway(1)
  if (!node) throw new Error('a node was expected')
  await vi.waitFor(async () => expect((await node.beat()).dispatcher.mine).toBe(true), { timeout: 8_000 })
  const refused = new Set<string>()

  for (let round = 0; round < 3; round += 1) {
    const run = await service.api<RunView>('POST', '/v1/copies', { source: 'shop', sink: 'lake', from: 'orders', to: 'orders/' })
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

    await service.api('POST', `/v1/runs/${run.id}/cancel`)
    over = true
    await Promise.all(all)
    node.running = []
    await node.beat()
    await node.finished(await node.pullOne('cleanup'), { outcome: 'cleaned', kept: 0 })
  }

  // What is reported of a part that was cancelled meanwhile is told so, and nothing worse.
  expect([...refused]).toEqual(['ATTEMPT_STALE'])
})
