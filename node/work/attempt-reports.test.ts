import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { NOTHING_MOVED } from '@postern/engine/outcome.ts'
import { CopyRequest } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type RunId, type StoreId, type TaskId } from '@postern/protocol/ids.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { expect, test } from 'vitest'
import type { ServiceClient } from '../calls/service-client.ts'
import { AttemptReports } from './attempt-reports.ts'

const store = (name: string) => ({ id: newId<StoreId>('sto', systemRandom.bytes), name, version: 1 })
const order: TaskOrder = {
  run: newId<RunId>('run', systemRandom.bytes),
  task: newId<TaskId>('tsk', systemRandom.bytes),
  attempt: 1,
  epoch: 1,
  kind: 'part',
  copy: CopyRequest.parse({ source: 'shop', sink: 'lake', from: 'orders', to: 'orders' }),
  source: store('shop'),
  sink: store('lake'),
  spec: null,
  context: null,
}

test('an outcome waits for no report of progress that is not due yet', async () => {
  const clock = new HandClock()
  const steps: string[] = []
  const call = async ({ path }: { readonly path: string }) => void steps.push(path.split('/').at(-1) ?? '')
  const service = { call: call as unknown as ServiceClient['call'] }
  const { signal } = new AbortController()
  const reports = new AttemptReports({ order, service, clock, random: systemRandom, log: silentLog, signal, onStale: () => undefined })

  reports.progress(NOTHING_MOVED)
  await waitFor(
    'progress was told and the next report waits for its time',
    async () => clock.sleeping,
    (sleeping) => sleeping === 1,
  )
  reports.progress(NOTHING_MOVED)
  await reports.finished({ outcome: 'moved', result: null, counters: NOTHING_MOVED, epoch: 1 })

  expect([steps, clock.sleeping]).toEqual([['progress', 'finished'], 0])
})

test.each(['SERVICE_UNREACHABLE', 'INTERNAL', 'CHANGED_MEANWHILE'] as const)(
  'an outcome that was answered with %s is told again; one that the service does not want is not',
  async (code) => {
    const clock = new HandClock()
    let refusal: Fault | undefined = new Fault(code)
    let told = 0
    const call = async () => {
      told += 1
      const fault = refusal
      refusal = undefined
      if (fault) throw fault
    }
    const service = { call: call as unknown as ServiceClient['call'] }
    const stale: Fault[] = []
    const parts = { order, service, clock, random: systemRandom, log: silentLog, signal: new AbortController().signal }
    const report = { outcome: 'moved', result: null, counters: NOTHING_MOVED, epoch: 1 } as const
    const reports = () => new AttemptReports({ ...parts, onStale: (fault) => stale.push(fault) })

    const again = reports().finished(report)
    await clock.advance(10_000)
    await again
    expect([told, stale]).toEqual([2, []])

    refusal = new Fault('ATTEMPT_STALE')
    await reports().finished(report)
    expect([told, stale.map((fault) => fault.code)]).toEqual([3, ['ATTEMPT_STALE']])
  },
)
