import { expect, test } from 'vitest'
import { isLate, pauseBeforeRenewal, TokenSelf, tokenLife, wasExtended } from './vault-token-life.ts'

const life = (data: object) => tokenLife(TokenSelf.parse({ data }))

test('a time of 0 is no end, unless Vault names one', () => {
  expect(life({ ttl: 0, expire_time: null, renewable: false }).leftMs).toBe(Number.POSITIVE_INFINITY)
  expect(life({ ttl: 0, expire_time: '2026-01-01T00:00:00Z', renewable: true }).leftMs).toBe(0)
})

test('a periodic token is asked about by its period, another by what it was made with', () => {
  expect(life({ ttl: 5, period: 60, creation_ttl: 30 }).wholeSeconds).toBe(60)
  expect(life({ ttl: 5, period: 0, creation_ttl: 30 }).wholeSeconds).toBe(30)
})

test('past half of its life a token is late', () => {
  expect(isLate({ leftMs: 29_000, wholeSeconds: 60, renewable: true })).toBe(true)
  expect(isLate({ leftMs: 31_000, wholeSeconds: 60, renewable: true })).toBe(false)
})

test('the pause lies between 45 and 55 % of what is left, never above an hour nor below a second', () => {
  expect([0, 0.5, 0.999].map((fraction) => Math.round(pauseBeforeRenewal(100_000, fraction)))).toEqual([45_000, 50_000, 54_990])
  expect(pauseBeforeRenewal(Number.POSITIVE_INFINITY, 0.5)).toBe(3_600_000)
  expect(pauseBeforeRenewal(0, 0.5)).toBe(1_000)
})

test('a renewal that gives what was left anyway is none', () => {
  expect(wasExtended(60_000, 60_000)).toBe(false)
  expect(wasExtended(60_000, 90_000)).toBe(true)
})
