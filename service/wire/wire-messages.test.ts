import { Fault } from '@postern/protocol/fault.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorResponse, sqlstateOf } from './wire-faults.ts'
import { firstLength, parseFirst, passwordLength, readyState } from './wire-messages.ts'

function startup(words: readonly string[], version = 196_608): Buffer {
  const head = Buffer.alloc(4)
  head.writeInt32BE(version)
  return Buffer.concat([head, Buffer.from(`${words.map((word) => `${word}\0`).join('')}\0`, 'latin1')])
}

test('a startup packet gives the store and the parameters, without user and database', () => {
  expect(parseFirst(startup(['user', 'me', 'database', 'shop', 'application_name', 'psql']))).toEqual({
    is: 'startup',
    database: 'shop',
    parameters: { application_name: 'psql' },
    negotiate: undefined,
  })
})

test('without a database its name is the user, as with PostgreSQL', () => {
  expect(parseFirst(startup(['user', 'shop']))).toMatchObject({ database: 'shop' })
})

test('a newer minor version and unknown options are to be negotiated', () => {
  expect(parseFirst(startup(['user', 'me', '_pq_.later', '1'], 196_610))).toMatchObject({ negotiate: { options: ['_pq_.later'] } })
})

test('a parameter called __proto__ is a parameter', () => {
  const first = parseFirst(startup(['user', 'me', '__proto__', 'x']))
  expect(first.is === 'startup' && Object.keys(first.parameters)).toEqual(['__proto__'])
})

test('whatever bytes come, they are a message or a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), (bytes) => {
      try {
        expect(['ssl', 'gss', 'cancel', 'startup']).toContain(parseFirst(Buffer.from(bytes)).is)
      } catch (cause) {
        expect(cause).toBeInstanceOf(Fault)
      }
    }),
  )
})

test.each([0, 7, 10_001, -1])('a length of %i is refused', (length) => {
  const header = Buffer.alloc(4)
  header.writeInt32BE(length)
  expect(() => firstLength(header)).toThrow(Fault)
})

test('a password longer than any token is not read', () => {
  expect(() => passwordLength(Buffer.from([0x70, 0, 1, 0, 0]))).toThrow(Fault)
})

test('the end of an answer is seen by its last six bytes', () => {
  expect(readyState(Buffer.from('C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I'))).toBe(0x49)
  expect(readyState(Buffer.from('Z\0\0\0\x05T'))).toBe(0x54)
  expect(readyState(Buffer.from('\0\0\0\x05I'))).toBe(0)
  expect(readyState(Buffer.from('Z\0\0\0\x05X'))).toBe(0)
})

test("the store's own state is passed on, but not what it says of its credential", () => {
  expect(sqlstateOf(new Fault('STORE_DENIED', { details: { sqlstate: '42704' } }))).toBe('42704')
  expect(sqlstateOf(new Fault('STORE_DENIED', { details: { sqlstate: '28P01' } }))).toBe('08004')
})

test('an error has its state, one line, and the remedy as its hint', () => {
  const text = errorResponse(new Fault('STORE_UNKNOWN', { at: 'nix' })).toString('latin1')
  expect(text).toContain('\0C3D000\0MThere is no such store. nix\0HSee `postern store list`.\0\0')
})
