import type { RunView } from '@postern/protocol/api/runs.ts'
import { Fault, type FaultCode } from '@postern/protocol/fault.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { expect, vi } from 'vitest'
import { type FakeNode, moved, type Report } from './fake-node.ts'
import { LocalService } from './local-service.ts'

export const COPY = { source: 'shop', sink: 'lake', from: 'orders', to: 'orders/' }

/** Nodes of which the first dispatches, and somebody who copies. */
export async function runRig(nodes = 1) {
  const service = await LocalService.start()
  const [node, second] = (await service.gateway(nodes)) as [FakeNode, FakeNode]
  await vi.waitFor(async () => expect((await node.beat()).dispatcher.mine).toBe(true), { timeout: 8_000 })
  const copy = (more = {}) => service.api<RunView>('POST', '/v1/copies', { ...COPY, ...more })
  const get = (run: RunView) => service.api<RunView>('GET', `/v1/runs/${run.id}`)
  const again = (run: RunView, how: 'rerun' | 'repair' | 'cancel') => service.api<RunView>('POST', `/v1/runs/${run.id}/${how}`)
  return { service, node, second, copy, get, again }
}

/** The report of an attempt that moved nothing. */
export function failed(code: FaultCode): Report {
  const fault = { ...new Fault(code, { at: 'shop' }).toJSON(), details: {} }
  return { outcome: 'failed', fault, counters: moved(0).counters }
}

/** What a report that asks for more is answered. */
export async function next(node: FakeNode, { task, attempt, epoch }: TaskOrder, report: Report): Promise<TaskOrder | undefined> {
  const path = `/v1/node/tasks/${task}/attempts/${attempt}/finished`
  return (await node.call<{ next: TaskOrder | null }>(path, { epoch, more: true, ...report })).next ?? undefined
}

export function must(order: TaskOrder | undefined): TaskOrder {
  if (!order) throw new Error('an order was expected')
  return order
}
