import { expect, test } from 'vitest'
import { HandClock } from './hand-clock.ts'

test('sleepers wake in the order of their times, each at its own time', async () => {
  const clock = new HandClock(0)
  const woken: string[] = []
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push(`${name} at ${clock.now()}`)
  }
  void sleeper('late', 30)
  void sleeper('early', 10).then(() => sleeper('again', 10))

  await clock.advance(29)
  expect(woken).toEqual(['early at 10', 'again at 20'])
  await clock.advance(1)

  expect(woken.at(-1)).toBe('late at 30')
  expect(clock.sleeping).toBe(0)
})

test('an aborted sleep rejects with the reason and waits no more', async () => {
  const clock = new HandClock()
  const abort = new AbortController()
  const sleep = clock.sleep(1_000, abort.signal)

  abort.abort(new Error('enough'))

  await expect(sleep).rejects.toThrow('enough')
  expect(clock.sleeping).toBe(0)
})
