import type { NodeId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { NodeHealth } from './node-health.ts'

const A = 'a' as NodeId

function health() {
  let now = 0
  const of = new NodeHealth({ monotonic: () => now })
  const pass = (ms: number) => {
    now += ms
  }
  return { of, pass }
}

test('nothing is known of a node that has not answered', () => {
  const { of } = health()

  expect(of.latencyMs(A)).toBeUndefined()
  expect(of.failures(A)).toBe(0)
})

test('one long query among short ones does not make a node slow', () => {
  const { of } = health()
  for (let answer = 0; answer < 20; answer += 1) of.answered(A, 10)
  of.answered(A, 60_000)

  expect(of.latencyMs(A)).toBeGreaterThan(9)
  expect(of.latencyMs(A)).toBeLessThan(30)
})

test('a node that has become slow shows it, and is given another try after a while', () => {
  const { of, pass } = health()
  for (let answer = 0; answer < 20; answer += 1) of.answered(A, 10)
  pass(5_000)
  for (let answer = 0; answer < 40; answer += 1) of.answered(A, 400)

  expect(of.latencyMs(A)).toBeGreaterThan(200)
  pass(15_000)
  expect(of.latencyMs(A)).toBeUndefined()
})

test('failures add up to three and are forgiven by half in ten seconds', () => {
  const { of, pass } = health()
  for (const node of ['b', 'b', 'b', 'b', 'b'] as NodeId[]) of.failed(node)
  expect(of.failures('b' as NodeId)).toBe(3)
  of.failed(A)
  of.failed(A)
  expect(of.failures(A)).toBe(2)

  pass(10_000)
  expect(of.failures(A)).toBe(1)
  of.forget(A)
  expect(of.failures(A)).toBe(0)
})
