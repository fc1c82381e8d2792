/** Inputs that nobody means, in the shapes that parsers trip over. */
import fc from 'fast-check'

const nasty = fc.constantFrom(
  '',
  '\0',
  '\ud800',
  '\u202e',
  '\ufeff',
  "';--",
  '%00',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'a'.repeat(10_000),
  '\r\nX: y',
  '{{7*7}}',
  '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
  'pgk_AAAA',
  'NaN',
  '1e999',
)
export const text: fc.Arbitrary<string> = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 300 }))

const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 1, -1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, Number.MIN_VALUE))

export const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: number },
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 5 }),
  fc.dictionary(text, fc.oneof(text, number), { maxKeys: 5 }),
  fc.jsonValue({ maxDepth: 4 }),
)

/** JSON that is deep, long, twice keyed, cut off, or none. */
const brokenJson: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: 1, max: 20_000 }).map((depth) => '['.repeat(depth)),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.constantFrom(
    '',
    ' ',
    'null',
    '0',
    '"',
    '{',
    '{}}',
    '[]',
    'true',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{}}}',
    '\u00ff',
    '1e999',
  ),
  fc.tuple(fc.json(), fc.nat(200)).map(([json, at]) => json.slice(0, at)),
  fc.json(),
)

/** A body as it goes over the network: text, or bytes that are no UTF-8. */
export function body(whole: Readonly<Record<string, unknown>>): fc.Arbitrary<Buffer> {
  const keys = Object.keys(whole)
  const changed = fc
    .tuple(
      fc.subarray(keys, { minLength: 1 }),
      fc.array(value, { minLength: keys.length, maxLength: keys.length }),
      fc.dictionary(text, value, { maxKeys: 3 }),
    )
    .map(([wrong, values, more]) => ({ ...more, ...whole, ...Object.fromEntries(wrong.map((key, at) => [key, values[at]])) }))
  const without = fc.subarray(keys, { maxLength: keys.length - 1 }).map((kept) => Object.fromEntries(kept.map((key) => [key, whole[key]])))
  return fc.oneof(
    { weight: 5, arbitrary: changed.map((made) => Buffer.from(JSON.stringify(made))) },
    { weight: 1, arbitrary: without.map((made) => Buffer.from(JSON.stringify(made))) },
    { weight: 2, arbitrary: brokenJson.map((made) => Buffer.from(made)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)) },
  )
}
