import { expect, test } from 'vitest'
import { daysOfBytes, daysOfText, microsOfBytes, microsOfText } from './time-text.ts'

const bytes = (text: string) => Buffer.from(`..${text}..`)

test.each(['1970-01-01', '1969-12-31', '2024-02-29', '0001-01-01', '9999-12-31', '1600-03-01'])('%s is the same from its bytes', (text) => {
  expect(daysOfBytes(bytes(text), 2, 2 + text.length)).toBe(daysOfText(text))
})

test.each(['infinity', '-infinity', '0044-03-15 BC', '10000-01-01', '2020/01/02', '2020-01-0x'])('%s is left to its text', (text) => {
  expect(daysOfBytes(bytes(text), 2, 2 + text.length)).toBeNaN()
})

test.each([
  ...['1970-01-01 00:00:00', '1969-12-31 23:59:59.999999', '2024-02-29 12:34:56.7', '2024-02-29T12:34:56.7', '1700-01-01 00:00:00.000001'],
  ...['2020-01-02 03:04:05+00', '2020-01-02 03:04:05.000012+05:30', '2020-01-02 03:04:05-11', '2250-12-31 23:59:59.999999+00'],
])('%s is the same from its bytes', (text) => {
  expect(BigInt(microsOfBytes(bytes(text), 2, 2 + text.length))).toBe(microsOfText(text))
})

test.each([
  'infinity',
  '-infinity',
  '0044-03-15 10:00:00 BC',
  '10000-01-01 00:00:00',
  '1600-01-01 00:00:00',
  '9999-12-31 23:59:59',
  '2020-01-02 03:04:05+05:30:15',
])('%s is left to its text', (text) => {
  expect(microsOfBytes(bytes(text), 2, 2 + text.length)).toBeNaN()
})

test('the text of every day and second of some is the same from its bytes', () => {
  for (let n = 0; n < 20_000; n += 1) {
    const text = new Date(-3e12 + n * 311_953_123).toISOString().replace('T', ' ').replace('Z', '')
    expect(BigInt(microsOfBytes(Buffer.from(text), 0, text.length))).toBe(microsOfText(text))
    expect(daysOfBytes(Buffer.from(text), 0, 10)).toBe(daysOfText(text))
  }
})
