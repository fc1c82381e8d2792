import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { newId, type RunId } from '@postern/protocol/ids.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { ENGINE_LIMITS } from './limits.ts'
import { Snapshots } from './snapshots.ts'
import { Tally } from './tally.ts'

const newRun = () => newId<RunId>('run', systemRandom.bytes)

function setUp() {
  const clock = new HandClock()
  const closed: string[] = []
  const snapshot = (id: string) => {
    return {
      id,
      [Symbol.asyncDispose]: async () => {
        closed.push(id)
      },
    }
  }
  return { clock, closed, snapshot, snapshots: new Snapshots({ clock, log: silentLog }) }
}

test('releasing a run closes all its snapshots once, and no other’s', async () => {
  const { snapshots, snapshot, closed, clock } = setUp()
  const [one, other] = [newRun(), newRun()]
  snapshots.hold(one, snapshot('a'))
  snapshots.hold(one, snapshot('b'))
  snapshots.hold(other, snapshot('c'))

  await Promise.all([snapshots.release(one), snapshots.release(one)])

  expect([closed, snapshots.runs(), clock.sleeping]).toEqual([['a', 'b'], [other], 1])
})

test('a snapshot that nobody releases is closed after its life-time', async () => {
  const { snapshots, snapshot, closed, clock } = setUp()
  snapshots.hold(newRun(), snapshot('a'))

  await clock.advance(ENGINE_LIMITS.snapshotMs - 1)
  const before = [...closed]
  await clock.advance(1)

  expect([before, closed, snapshots.runs()]).toEqual([[], ['a'], []])
})

test('a snapshot that does not close cleanly is forgotten all the same', async () => {
  const { snapshots } = setUp()
  const run = newRun()
  snapshots.hold(run, { id: 'a', [Symbol.asyncDispose]: () => Promise.reject(new Error('the connection is gone')) })

  await snapshots.release(run)

  expect(snapshots.runs()).toEqual([])
})

test('disposing closes all and leaves nothing waiting', async () => {
  const { snapshots, snapshot, closed, clock } = setUp()
  snapshots.hold(newRun(), snapshot('a'))
  snapshots.hold(newRun(), snapshot('b'))

  await snapshots[Symbol.asyncDispose]()

  expect([closed, clock.sleeping]).toEqual([['a', 'b'], 0])
})

test('progress is due after its time, not before', async () => {
  const clock = new HandClock()
  const told: number[] = []
  const tally = new Tally(clock, ({ bytesRead }) => told.push(bytesRead))
  const due = [tally.due()]

  await clock.advance(ENGINE_LIMITS.progressMs)
  due.push(tally.due())
  tally.progress({ bytesRead: 7 })
  due.push(tally.due())

  expect([due, told]).toEqual([[false, true, false], [7]])
})
