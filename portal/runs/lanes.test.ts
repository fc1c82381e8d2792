import type { TaskView } from '@postern/protocol/api/runs.ts'
import { expect, test } from 'vitest'
import { nodeLanes } from './lanes.ts'

const at = (seconds: number) => new Date(seconds * 1_000).toISOString()
const task = (id: string, ...attempts: readonly (readonly [node: string, from: number, to: number | null])[]) =>
  ({
    id,
    name: id,
    attempts: attempts.map(([node, from, to], index) => ({
      number: index + 1,
      node,
      status: to === null ? 'running' : 'succeeded',
      startedAt: at(from),
      endedAt: to === null ? null : at(to),
    })),
  }) as unknown as TaskView

test('attempts of a node that ran at a time lie under each other, one after the other in one lane', () => {
  const { overMs, nodes } = nodeLanes(
    { tasks: [task('a', ['n2', 0, 5]), task('b', ['n1', 0, 4]), task('c', ['n1', 2, 8]), task('d', ['n1', 4, null])] },
    10_000,
  )

  expect(overMs).toBe(10_000)
  expect(nodes.map(({ node, lanes: all }) => [node, all.map((lane) => lane.map((bar) => [bar.task, bar.from, bar.to]))])).toEqual([
    [
      'n1',
      [
        [
          ['b', 0, 0.4],
          ['d', 0.4, 1],
        ],
        [['c', 0.2, 0.8]],
      ],
    ],
    ['n2', [[['a', 0, 0.5]]]],
  ])
})

test('an attempt that was lost on one node is shown there, and the next on the other', () => {
  const { nodes } = nodeLanes({ tasks: [task('a', ['n1', 0, 1], ['n2', 1, 2])] }, 0)

  expect(nodes.map(({ node, lanes: all }) => [node, all[0]?.[0]?.attempt])).toEqual([
    ['n1', 1],
    ['n2', 2],
  ])
})

test('before anything ran there are no lanes', () => expect(nodeLanes({ tasks: [] }, 0)).toEqual({ overMs: 0, nodes: [] }))
