import { getHeapSpaceStatistics } from 'node:v8'
import { expect, test } from 'vitest'
import { keepYoungSmall } from './young-heap.ts'

/** Makes young objects, many of which survive, and tells by how much their space has grown, in MB. */
function grownBy(): number {
  const size = () => (getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0) / 1e6
  const before = size()
  const kept: object[] = []
  for (let i = 0; i < 1_500_000; i += 1) kept[i % 60_000] = { i, more: [i] }
  return size() - before
}

test('while it is held, by however many, young objects get no more room; then they do again', () => {
  const [one, two] = [keepYoungSmall(), keepYoungSmall()]
  const alone = grownBy()
  one[Symbol.dispose]()
  one[Symbol.dispose]()
  const held = grownBy()
  two[Symbol.dispose]()
  const free = grownBy()

  expect(Math.max(alone, held)).toBeLessThanOrEqual(0)
  expect(free).toBeGreaterThan(1)
})
