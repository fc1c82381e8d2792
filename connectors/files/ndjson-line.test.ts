import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rawMembers, textOf } from './ndjson-line.ts'
import { NdjsonTypes } from './ndjson-types.ts'

test('members of any object are found with the text of their values', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1), (object, indent) => {
      const line = JSON.stringify(object, undefined, indent).replaceAll('\n', ' ')

      const members = rawMembers(line)

      expect([...(members?.keys() ?? [])].sort()).toEqual(Object.keys(object).sort())
      for (const [name, raw] of members ?? []) {
        expect(JSON.parse(raw)).toEqual(JSON.parse(JSON.stringify(object[name])))
        if (typeof object[name] === 'string') expect(textOf(raw)).toBe(object[name])
      }
    }),
  )
})

test('numbers keep their spelling', () => {
  expect([...(rawMembers('{"a": 1.50 ,"b":12345678901234567890.10, "c":-1e+5}') ?? [])]).toEqual([
    ['a', '1.50'],
    ['b', '12345678901234567890.10'],
    ['c', '-1e+5'],
  ])
})

test('a column has the narrowest type that holds all its values', () => {
  const types = new NdjsonTypes()
  const lines = [
    '{"i":1,"big":9223372036854775807,"f":1.5,"d":12345678901234567890.5,"at":"2024-02-29T10:00:00Z","day":"2024-02-30","j":{"a":1},"m":1,"n":null}',
    '{"i":null,"big":1,"f":2,"d":0.25,"at":"2024-02-29 10:00:00+02:00","day":"2024-02-28","j":[1],"m":"x","late":true}',
  ]
  for (const line of lines) types.add(rawMembers(line) ?? new Map())

  expect(types.columns().map(({ name, type }) => [name, type])).toEqual([
    ['i', { is: 'int32' }],
    ['big', { is: 'int64' }],
    ['f', { is: 'float64' }],
    ['d', { is: 'decimal', precision: 38, scale: 2 }],
    ['at', { is: 'timestamptz' }],
    ['day', { is: 'text' }],
    ['j', { is: 'json' }],
    ['m', { is: 'json' }],
    ['n', { is: 'text' }],
    ['late', { is: 'bool' }],
  ])
})
