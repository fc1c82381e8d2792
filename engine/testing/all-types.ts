/** Every type that PostgreSQL has, each with the values that break what is not careful. */
import type { TestDatabase } from '@postern/testkit/postgres.ts'

/** One letter of each plane that has any, what stands at its edges, and what a format could take for its own. */
const TEXTS = [
  `''`,
  'null',
  `U&'a\\00E9\\4E2D\\+01F600\\+02F800\\+03134A\\+0E0100\\+0F0000\\+10FFFD\\FFFD\\E000\\FEFF'`,
  `E'tab\\there, line\\nfeed, return\\r\\nboth'`,
  `E'back\\\\slash \\\\N \\\\. \\\\t end\\\\'`,
  `'"double" ''single'' "'`,
  `E'\\\\.'`,
  `'\\N'`,
  `'NULL'`,
  `' spaces '`,
  `E'\\u0001\\u001f\\u007f'`,
  `','`,
  `repeat('long ', 20000)`,
]

/** [type, values as SQL]: those that files of every format hold too. */
export const COMMON: readonly (readonly [string, readonly string[]])[] = [
  ['boolean', ['true', 'false', 'null']],
  ['smallint', ['-32768', '32767', 'null']],
  ['integer', ['-2147483648', '2147483647', '0', 'null']],
  ['bigint', ['-9223372036854775808', '9223372036854775807', 'null']],
  ['real', [`'-0'`, `'NaN'`, `'Infinity'`, `'-Infinity'`, '1e-45', '3.4028235e38', '0.1', 'null']],
  ['double precision', [`'-0'`, `'NaN'`, `'Infinity'`, `'-Infinity'`, '5e-324', '1.7976931348623157e308', '0.30000000000000004', 'null']],
  ['numeric(38,10)', ['-9999999999999999999999999999.9999999999', '0.0000000001', '-0.5', '0', 'null']],
  ['numeric(5,5)', ['0.99999', '-0.00001', 'null']],
  ['numeric', ['1.500', `'NaN'`, `('-' || repeat('9', 1000) || '.' || repeat('1', 1000))::numeric`, '0.000', 'null']],
  ['text', TEXTS],
  ['varchar(60)', [`'x'`, `''`, 'null', `'ü, "y"'`]],
  ['bytea', [`'\\x'`, `'\\x00ff0a0d5c2227'`, 'null']],
  ['date', [`'4713-01-01 BC'`, `'0001-12-31 BC'`, `'9999-12-31'`, `'20000-01-01'`, `'infinity'`, `'-infinity'`, 'null']],
  ['time', [`'00:00'`, `'23:59:59.999999'`, `'24:00:00'`, 'null']],
  [
    'timestamp',
    [`'0044-03-15 12:00:00.5 BC'`, `'9999-12-31 23:59:59.999999'`, `'1969-12-31 23:59:59.999999'`, `'infinity'`, `'-infinity'`, 'null'],
  ],
  [
    'timestamptz',
    [
      `'2024-10-27 02:30:00.000001+02'`,
      `'0001-01-01 00:00:00+00'`,
      `'infinity'`,
      `'-infinity'`,
      `'1969-12-31 23:59:59.999999+05:30'`,
      'null',
    ],
  ],
  ['uuid', [`'00000000-0000-0000-0000-000000000000'`, `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, 'null']],
  ['json', [`'{"a": [1,  2.50, null],\n "ü": "\\u00e4 \\" 😀"}'`, `'null'`, 'null', `'"text"'`]],
]

/** What only PostgreSQL knows; to other stores it is text. */
const OWN: readonly (readonly [string, readonly string[]])[] = [
  ['jsonb', [`'{"b": 1, "a": [true, null, 1.10], "😀": "\\n"}'`, `'null'`, 'null']],
  ['character(5)', [`'ab'`, `''`, 'null', `'漢字'`]],
  ['"char"', [`'a'`, `''`, 'null']],
  ['name', [`'a name'`, 'null']],
  ['oid', ['0', '4294967295', 'null']],
  ['money', [`'-92233720368547758.08'`, `'12.34'`, 'null']],
  ['interval', [`'178000000 years'`, `'1 year 2 months -3 days 04:05:06.000007'`, `'-1 second'`, `'0'`, 'null']],
  ['timetz', [`'12:00:00+05:30'`, `'24:00:00-15:59'`, 'null']],
  ['bit(5)', [`B'10101'`, 'null']],
  ['bit varying(9)', [`B''`, `B'101'`, 'null']],
  ['inet', [`'192.168.0.1'`, `'10.0.0.0/8'`, `'::1/64'`, 'null']],
  ['cidr', [`'10.0.0.0/8'`, 'null']],
  ['macaddr8', [`'08:00:2b:01:02:03:04:05'`, 'null']],
  ['tsvector', [`'a fat cat:3 ''quo''''te'':1A'`, 'null']],
  ['tsquery', [`'fat & (rat | ''a b'')'`, 'null']],
  ['xml', [`'<a b="1">ü &amp; "<![CDATA[x]]>"</a>'`, `'text only'`, 'null']],
  ['point', [`'(1.5,-0)'`, 'null']],
  ['polygon', [`'((0,0),(1,1e300),(2,0))'`, 'null']],
  ['int4range', [`'[1,5)'`, `'empty'`, `'(,5)'`, 'null']],
  ['tstzrange', [`'["2024-01-01 00:00+02",infinity)'`, 'null']],
  ['nummultirange', [`'{[1.5,2),(3,)}'`, `'{}'`, 'null']],
  ['integer[]', [`'{1,NULL,3}'`, `'{}'`, `'{{1,2},{3,4}}'`, `'[2:3]={7,8}'`, 'null']],
  ['text[]', [`array['a"b', 'c,d', '', null, 'NULL', E'\\\\', E'\\n\\t', '{}', '😀']`, 'null']],
  ['timestamptz[]', [`array['2024-01-01 00:00+02'::timestamptz, 'infinity', null]`, 'null']],
  ['pg_lsn', [`'16/B374D848'`, 'null']],
  ['types.mood', [`'so, so'`, `'"good"'`, 'null']],
  ['types.mood[]', [`array['so, so', null]::types.mood[]`, 'null']],
  ['types.positive', ['0.01', '99999999.99', 'null']],
  ['types.pair', [`row(1, E'a,"b"\\n(c)')::types.pair`, `row(null, '')::types.pair`, 'null']],
]

/** The ends of time: no file format but text holds them. */
const EDGES: readonly (readonly [string, readonly string[]])[] = [
  ['date', [`'5874897-12-31'`, `'4713-01-01 BC'`]],
  ['timestamp', [`'294276-12-31 23:59:59.999999'`, `'4713-01-01 00:00:00 BC'`]],
  ['timestamptz', [`'294276-12-31 23:59:59.999999+00'`, `'4713-01-01 00:00:00+00 BC'`]],
]

/** 63 bytes, with all that has to be quoted. */
export const LONG_NAME = `ä "quoted", 'col'\\umn; -- ${'x'.repeat(63)}`.slice(0, 62)

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export async function makeTypes(database: TestDatabase, table: string, which: 'all' | 'common'): Promise<void> {
  const columns = which === 'all' ? [...COMMON, ...OWN, ...EDGES] : COMMON
  const rows = Math.max(...columns.map(([, values]) => values.length))
  const names = columns.map(([type], i) => (i === 0 ? quoted(LONG_NAME) : quoted(`c${i} ${type}`.slice(0, 60))))
  const lines = Array.from({ length: rows }, (_, i) => `(${i}, ${columns.map(([, values]) => values[i % values.length]).join(', ')})`)
  await database.query(`
    create schema if not exists types;
    do $$ begin
      create type types.mood as enum ('so, so', '"good"'); create domain types.positive as numeric(10,2) check (value > 0);
      create type types.pair as (a int, b text);
    exception when duplicate_object then null; end $$`)
  await database.query(
    `create table ${table} (id int primary key, ${columns.map(([type], i) => `${names[i]} ${type}`).join(', ')},
       made text generated always as ('made ' || id::text) stored, counted int generated always as identity)`,
  )
  await database.query(`insert into ${table} (id, ${names.join(', ')}) values ${lines.join(',\n')}`)
}
