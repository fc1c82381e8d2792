/** For tests: values that break what is not careful, of all types that have a logical type, and some that have none. */

export interface Executes {
  query(sql: string): Promise<unknown>
}

/** Columns as [name, type, values as SQL]; the table has a row for each place in the longest list, the others start anew. */
export const NASTY_COLUMNS: readonly (readonly [string, string, readonly string[]])[] = [
  ['b', 'boolean', ['true', 'false', 'null']],
  ['i2', 'smallint', ['-32768', '32767', '0', 'null']],
  ['i4', 'integer', ['-2147483648', '2147483647', 'null']],
  ['i8', 'bigint', ['-9223372036854775808', '9223372036854775807', '0', 'null']],
  ['n', 'numeric(38,10)', ['-9999999999999999999999999999.9999999999', '0.0000000001', '-0.5', '0', 'null', '1.5']],
  ['n2', 'numeric(2,2)', ['0.99', '-0.01', '0', 'null']],
  ['f4', 'real', [`'-0'`, `'NaN'`, `'Infinity'`, '1e-45', '3.4028235e38', '0.1', 'null']],
  ['f8', 'double precision', [`'-0'`, `'NaN'`, `'-Infinity'`, '5e-324', '1.7976931348623157e308', '0.1', '0.30000000000000004', 'null']],
  [
    't',
    'text',
    [
      `''`,
      'null',
      `E'tab\\there\\nand\\r\\nlines'`,
      `'"quoted", with, commas'`,
      `E'back\\\\slash \\\\N \\\\. end'`,
      `'ä é ß € 漢字 😀 𝄞 𐍈 e\u0301'`,
      `U&'\\FFFD \\E000 \\FEFF'`,
      `' leading and trailing '`,
      `'\\N'`,
      `'NULL'`,
      `E'\\u0001\\u001f\\u007f'`,
    ],
  ],
  ['by', 'bytea', [`'\\x'`, `'\\x00ff0a0d5c22'`, 'null']],
  ['d', 'date', [`'0044-03-15 BC'`, `'9999-12-31'`, `'1970-01-01'`, `'1969-12-31'`, `'infinity'`, `'-infinity'`, 'null', `'2024-02-29'`]],
  ['ti', 'time', [`'00:00:00'`, `'23:59:59.999999'`, `'24:00:00'`, 'null', `'12:34:56.000001'`]],
  [
    'ts',
    'timestamp',
    [
      `'0044-03-15 12:00:00.5 BC'`,
      `'1969-12-31 23:59:59.999999'`,
      `'infinity'`,
      `'-infinity'`,
      'null',
      `'2024-02-29 01:02:03.000001'`,
      `'9999-12-31 23:59:59.999999'`,
    ],
  ],
  [
    'tz',
    'timestamptz',
    [`'1969-12-31 23:59:59.999999+05:30'`, `'infinity'`, `'-infinity'`, 'null', `'2024-10-27 02:30:00+02'`, `'0001-01-01 00:00:00+00'`],
  ],
  ['u', 'uuid', [`'00000000-0000-0000-0000-000000000000'`, `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, 'null']],
  ['j', 'json', [`'{"a": [1,  2.50, null],\n "ü": "\\u00e4 \\" 😀"}'`, `'null'`, 'null', `'"text"'`]],
]

/** Types that only PostgreSQL has. */
const OWN_COLUMNS: readonly (readonly [string, string, readonly string[]])[] = [
  ['nu', 'numeric', ['1.500', '-0.000', `'NaN'`, '123456789012345678901234567890.123456789012345678901234567890', 'null']],
  ['jb', 'jsonb', [`'{"b": 1, "a": [true, null, 1.10]}'`, 'null']],
  ['c', 'character(5)', [`'ab'`, `''`, 'null', `'漢字'`]],
  ['vc', 'character varying(20)', [`'x'`, `''`, 'null']],
  ['ai', 'integer[]', [`'{1,NULL,3}'`, `'{}'`, 'null', `'{{1,2},{3,4}}'`]],
  ['at', 'text[]', [`array['a"b', 'c,d', '', null, 'NULL', E'\\\\']`, 'null']],
  ['ad', 'double precision[]', [`array[0.1, 'NaN', '-0', 1e300]`, 'null']],
  ['ip', 'inet', [`'192.168.0.1'`, `'10.0.0.0/8'`, `'::1'`, 'null']],
  ['iv', 'interval', [`'1 year 2 months -3 days 04:05:06.000007'`, `'-1 second'`, `'0'`, 'null']],
  ['r', 'int4range', [`'[1,5)'`, `'empty'`, 'null']],
  ['tt', 'time with time zone', [`'12:00:00+05:30'`, 'null']],
  ['m', '"char"', [`'a'`, 'null']],
]

export async function nastyTable(db: Executes, name: string): Promise<string> {
  const columns = [...NASTY_COLUMNS, ...OWN_COLUMNS]
  const rows = Math.max(...columns.map(([, , values]) => values.length))
  const lines = Array.from({ length: rows }, (_, i) => `(${i}, ${columns.map(([, , values]) => values[i % values.length]).join(', ')})`)
  await db.query(`create table "${name}" (id integer primary key, ${columns.map(([column, type]) => `"${column}" ${type}`).join(', ')})`)
  await db.query(`insert into "${name}" values ${lines.join(',\n')}`)
  return name
}
