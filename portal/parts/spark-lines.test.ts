import { expect, test } from 'vitest'
import { linesOf } from './spark-lines.ts'

const frame = { width: 40, height: 12 }

test('values are spread over the width, the largest at the top', () => {
  expect(linesOf([0, 5, 10], frame)).toEqual(['0,11 20,6 40,1 '])
  expect(linesOf([0, 5, 10], { ...frame, most: 20 })).toEqual(['0,11 20,8.5 40,6 '])
})

test('a gap is a gap, and one value is no line', () => {
  expect(linesOf([1, 1, null, 1, null, 1, 1], { width: 60, height: 12 })).toEqual(['0,1 10,1 ', '50,1 60,1 '])
  expect([linesOf([], frame), linesOf([4], frame), linesOf([null, null], frame)]).toEqual([[], [], []])
})

test('of noughts the line lies at the bottom', () => {
  expect(linesOf([0, 0], frame)).toEqual(['0,11 40,11 '])
})
