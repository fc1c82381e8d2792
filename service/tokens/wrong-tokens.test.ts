import { Fault } from '@postern/protocol/fault.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import type { Caller } from '../rights/caller.ts'
import { WrongTokens } from './wrong-tokens.ts'

const right = async () => ({}) as Caller
const wrong = async (): Promise<Caller> => {
  throw new Fault('TOKEN_INVALID')
}
const codeOf = async (work: () => unknown) => {
  try {
    await work()
    return 'in'
  } catch (cause) {
    return (cause as Fault).code
  }
}

async function flooded(clock = new HandClock()) {
  const tokens = new WrongTokens(clock)
  await tokens.watch('known', '10.0.0.1', right)
  for (let n = 0; n < 200; n += 1) await codeOf(() => tokens.watch(`guess ${n}`, '10.0.0.1', wrong))
  return { tokens, clock }
}

test('after too many wrong tokens of one network no more are looked up', async () => {
  const { tokens } = await flooded()
  let asked = 0

  const code = await codeOf(() =>
    tokens.watch('one more', '10.0.0.1', () => {
      asked += 1
      return wrong()
    }),
  )

  expect([code, asked]).toEqual(['TOO_MANY_TRIES', 0])
})

test('one that was right before is looked up all the same, and other networks are not touched', async () => {
  const { tokens } = await flooded()

  expect(await codeOf(() => tokens.watch('known', '10.0.0.1', right))).toBe('in')
  expect(await codeOf(() => tokens.watch('new', '10.0.0.2', right))).toBe('in')
})

test('a minute later they are looked up again', async () => {
  const { tokens, clock } = await flooded()

  await clock.advance(61_000)

  expect(await codeOf(() => tokens.watch('new', '10.0.0.1', right))).toBe('in')
})
