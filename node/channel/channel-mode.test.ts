import { expect, test } from 'vitest'
import { acceptedBy, type ChannelState, FIRST_STATE, isThrough, modeFor, turnTo } from './channel-mode.ts'

const peer = (
  channelEncryption: string | undefined,
  channelAccepts: string[] | undefined = channelEncryption ? [channelEncryption] : undefined,
) => ({
  online: true,
  channelAddress: '10.0.0.1:8050',
  channelEncryption,
  channelAccepts,
})

test('after a change both modes are taken, the new one first', () => {
  expect(acceptedBy(turnTo(FIRST_STATE, 'off'))).toEqual(['off', 'mutual'])
  expect(acceptedBy(turnTo(turnTo(FIRST_STATE, 'off'), 'certificate'))).toEqual(['certificate', 'off', 'mutual'])
  expect(acceptedBy(turnTo(turnTo(FIRST_STATE, 'off'), 'mutual'))).toEqual(['mutual', 'off'])
  expect(turnTo(FIRST_STATE, 'mutual')).toBe(FIRST_STATE)
})

test('a peer is called by the new mode as soon as it takes it, by the old one until then', () => {
  const state = turnTo(FIRST_STATE, 'certificate')

  expect(modeFor(state, peer('mutual'))).toBe('mutual')
  expect(modeFor(state, peer('mutual', ['certificate', 'mutual']))).toBe('certificate')
  expect(modeFor(state, peer(undefined))).toBe('mutual')
})

test('nobody is talked into a weaker mode than this node is in', () => {
  const settled: ChannelState = { mode: 'mutual', before: [] }

  expect(modeFor(settled, peer('off'))).toBeUndefined()
  expect(modeFor({ mode: 'certificate', before: [] }, peer('off'))).toBeUndefined()
  expect(modeFor({ mode: 'off', before: [] }, peer('mutual'))).toBe('mutual')
})

test('a change is through when all that are online call by the new mode', () => {
  const state = turnTo(FIRST_STATE, 'off')

  expect(isThrough(state, [peer('off'), peer('mutual', ['off', 'mutual'])])).toBe(false)
  expect(isThrough(state, [peer('off'), { ...peer('mutual'), online: false }])).toBe(true)
  expect(isThrough(state, [peer('off', ['off', 'mutual'])])).toBe(true)
  expect(isThrough(state, [peer(undefined)])).toBe(false)
  expect(isThrough(state, [])).toBe(true)
})
