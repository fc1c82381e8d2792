import { expect, test } from 'vitest'
import { matching, readFind, readGrantSearch, readTokenSearch } from './people-search.ts'

test('what the service would refuse is not asked of it', () => {
  expect(readGrantSearch({ to: 'person/ann', on: 'store/shop' })).toEqual({ to: 'person/ann', on: 'store/shop' })
  expect(readGrantSearch({ to: 'ann', on: 'table/orders' })).toEqual({ to: undefined, on: undefined })
  expect(readTokenSearch({ kind: 'all', find: '' })).toEqual({ kind: undefined, find: undefined })
})

test('a number that is looked for is a text', () => {
  expect(readFind({ find: 42 })).toEqual({ find: '42' })
})

test('all words must stand somewhere, in any case', () => {
  const people = [{ name: 'ann', email: 'ann@example.com' }, { name: 'bob', email: '' }] as const
  const found = (find: string | undefined) => matching(people, find, ({ name, email }) => [name, email]).map(({ name }) => name)

  expect([found(undefined), found('EXAMPLE an'), found('bob example')]).toEqual([['ann', 'bob'], ['ann'], []])
})
