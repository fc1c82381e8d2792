import { silentLog } from '@postern/base/log.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { Grace } from './grace.ts'

function rig(graceSeconds: number) {
  const clock = new HandClock()
  const now = { heardAt: 0, linked: true, grace: graceSeconds }
  const done: string[] = []
  const grace = new Grace({
    heardAt: () => now.heardAt,
    linked: () => now.linked,
    graceSeconds: () => now.grace,
    end: (fault) => void done.push(`end ${fault.code}`),
    release: async () => void done.push('release'),
    resume: () => void done.push('resume'),
    clock,
    log: silentLog,
  })
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) await clock.advance(Math.min(500, left))
  }
  return { clock, now, done, grace, pass }
}

test('a node that hears nothing ends its work once the grace period is over, and works again when it does', async () => {
  const { now, done, grace, pass, clock } = rig(10)
  await grace.start()
  await pass(20_000)
  now.linked = false
  await pass(10_000)
  expect([done, grace.cutOff]).toEqual([[], false])

  await pass(1_000)
  expect(done.slice(0, 2)).toEqual(['end NODE_CUT_OFF', 'release'])
  expect(grace.cutOff).toBe(true)
  now.heardAt = clock.monotonic()
  await pass(500)

  expect(done.at(-1)).toBe('resume')
  expect(done.filter((what) => what.startsWith('end'))).toHaveLength(1)
  await grace.stop()
})

test('beats that are answered are enough, and so is a link', async () => {
  const { now, done, grace, pass, clock } = rig(2)
  await grace.start()
  now.linked = false
  for (let beats = 0; beats < 10; beats += 1) {
    now.heardAt = clock.monotonic()
    await pass(1_000)
  }
  now.linked = true
  await pass(10_000)

  expect(done).toEqual([])
  await grace.stop()
})

test('a grace period of 0 never ends', async () => {
  const { now, done, grace, pass } = rig(0)
  await grace.start()
  now.linked = false
  await pass(100_000)

  expect(done).toEqual([])
  await grace.stop()
})
