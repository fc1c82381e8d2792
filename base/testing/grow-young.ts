/** A process of its own, for what is a matter of a whole process: prints by how much the space of young objects grew, in MB. */
import { getHeapSpaceStatistics } from 'node:v8'
import { keepYoungSmall } from '../young-heap.ts'

/** Makes young objects, many of which survive, and tells by how much their space has grown, in MB. */
function grownBy(): number {
  const size = () => (getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0) / 1e6
  const before = size()
  const kept: object[] = []
  for (let i = 0; i < 1_500_000; i += 1) kept[i % 60_000] = { i, more: [i] }
  return size() - before
}

/** What was given back while nothing ran comes back once, held or not: so the least of a few counts where there should be none. */
const leastGrowth = () => Math.min(grownBy(), grownBy(), grownBy())

const [one, two] = [keepYoungSmall(), keepYoungSmall()]
const alone = leastGrowth()
one[Symbol.dispose]()
one[Symbol.dispose]()
const held = leastGrowth()
two[Symbol.dispose]()
console.log(JSON.stringify({ alone, held, free: grownBy() }))
