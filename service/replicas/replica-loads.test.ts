import { type NodeId, newId, type ReplicaId } from '@postern/protocol/ids.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { SeededRandom } from '@postern/testkit/seeded-random.ts'
import { expect, test } from 'vitest'
import { ReplicaLoads } from './replica-loads.ts'
import { ReplicaNews } from './replica-news.ts'

const random = new SeededRandom(1)
const [ONE, TWO] = [newId<NodeId>('nod', (count) => random.bytes(count)), newId<NodeId>('nod', (count) => random.bytes(count))]
const [A, B] = [newId<ReplicaId>('rep', (count) => random.bytes(count)), newId<ReplicaId>('rep', (count) => random.bytes(count))]

function pair() {
  const clock = new HandClock()
  const [here, there] = [new ReplicaLoads(clock), new ReplicaLoads(clock)]
  const lines: string[] = []
  const follow = () =>
    here.follow((news) => {
      lines.push(JSON.stringify(news))
      const heard = ReplicaNews.parse(JSON.parse(JSON.stringify(news)))
      if (heard.type === 'load') there.heard(A, heard)
    })
  return { clock, here, there, lines, follow }
}

test('a replica counts what others have begun on a node', async () => {
  const { clock, here, there, follow } = pair()
  follow()

  here.counted(ONE, 1)
  here.counted(ONE, 2)
  await clock.advance(10)
  there.heard(B, { type: 'load', counts: [[ONE, 3]] })

  expect([there.elsewhere(ONE), there.elsewhere(TWO)]).toEqual([5, 0])
  here.counted(ONE, 0)
  await clock.advance(10)
  expect(there.elsewhere(ONE)).toBe(3)
})

test('what begins and ends within a moment is told once', async () => {
  const { clock, here, lines, follow } = pair()
  follow()

  for (let n = 0; n < 1_000; n += 1) here.counted(n % 2 === 0 ? ONE : TWO, n % 7)
  await clock.advance(10)

  expect(lines).toHaveLength(1)
})

test('who comes later is told what runs, and who is lost does not count any more', async () => {
  const { here, there, follow } = pair()
  here.counted(ONE, 4)

  follow()
  expect(there.elsewhere(ONE)).toBe(4)

  there.lost(A)
  expect(there.elsewhere(ONE)).toBe(0)
})
