/** For tests: values that break what is not careful, of all types of MySQL and MariaDB. */

export interface RunsSql {
  query(sql: string): Promise<unknown>
}

type Columns = readonly (readonly [string, string, readonly string[]])[]

/** Columns as [name, type, values as SQL] whose values PostgreSQL has too. */
export const COMMON_COLUMNS: Columns = [
  ['b', 'tinyint(1)', ['0', '1', 'null']],
  ['bit1', 'bit(1)', [`b'0'`, `b'1'`, 'null']],
  ['bit8', 'bit(8)', [`b'0'`, `b'11111111'`, 'null']],
  ['bit64', 'bit(64)', ['0', '18446744073709551615', 'null']],
  ['i1', 'tinyint', ['-128', '127', '0', 'null']],
  ['u1', 'tinyint unsigned', ['0', '255', 'null']],
  ['i2', 'smallint', ['-32768', '32767', 'null']],
  ['u2', 'smallint unsigned', ['0', '65535', 'null']],
  ['i3', 'mediumint', ['-8388608', '8388607', 'null']],
  ['u3', 'mediumint unsigned', ['0', '16777215', 'null']],
  ['i4', 'int', ['-2147483648', '2147483647', 'null']],
  ['u4', 'int unsigned', ['0', '4294967295', 'null']],
  ['z4', 'int(8) unsigned zerofill', ['42', '0', '4294967295', 'null']],
  ['i8', 'bigint', ['-9223372036854775808', '9223372036854775807', '0', 'null']],
  ['u8', 'bigint unsigned', ['0', '18446744073709551615', '9223372036854775808', 'null']],
  [
    'n',
    'decimal(65,30)',
    ['-99999999999999999999999999999999999.999999999999999999999999999999', '0.000000000000000000000000000001', '0', 'null', '1.5'],
  ],
  ['n2', 'decimal(2,2)', ['0.99', '-0.01', '0', 'null']],
  ['f4', 'float', ['-0.0', '1.17549e-38', '3.4028234663852886e38', '0.1', '16777217', 'null']],
  ['f8', 'double', ['-0e0', '5e-324', '1.7976931348623157e308', '0.1', '0.30000000000000004', '2.2250738585072014e-308', 'null']],
  ['f82', 'double(10,2)', ['1.25', '-99999.99', 'null']],
  [
    't',
    'longtext',
    [
      `''`,
      'null',
      `'tab\\there\\nand\\r\\nlines'`,
      `'"quoted", with, commas'`,
      `'back\\\\slash \\\\N \\\\. end'`,
      `'ä é ß € 漢字 😀 𝄞 𐍈 e\u0301'`,
      `'\u{FFFD} \u{E000} \u{FEFF} \u{10FFFD}'`,
      `' leading and trailing '`,
      `'\\\\N'`,
      `'NULL'`,
      `'\u0001\u001f\u007f\u000b\u000c\\b'`,
      `repeat('é', 70000)`,
    ],
  ],
  ['v', 'varchar(100)', [`'x'`, `''`, 'null', `'it''s'`]],
  ['c', 'char(5)', [`'ab'`, `''`, 'null', `'漢字'`]],
  ['l1', 'varchar(40) character set latin1', [`'äöü ÿ €'`, `''`, 'null']],
  ['en', `enum('a','it''s','ü, x')`, [`'a'`, `'it''s'`, 'null', `'ü, x'`]],
  ['se', `set('a','b','c')`, [`''`, `'a,c'`, 'null']],
  ['by', 'varbinary(50)', [`''`, `x'00ff0a0d5c2209'`, 'null']],
  ['bl', 'longblob', [`x'00'`, `repeat(x'5c00', 40000)`, 'null', `''`]],
  ['bf', 'binary(3)', [`x'010203'`, 'null']],
  ['d', 'date', [`'1000-01-01'`, `'9999-12-31'`, `'1970-01-01'`, `'1969-12-31'`, 'null', `'2024-02-29'`]],
  ['ti', 'time(6)', [`'00:00:00'`, `'23:59:59.999999'`, `'24:00:00'`, 'null', `'12:34:56.000001'`]],
  ['dt', 'datetime(6)', [`'1000-01-01 00:00:00'`, `'1969-12-31 23:59:59.999999'`, 'null', `'9999-12-31 23:59:59.999999'`]],
  ['d0', 'datetime', [`'2024-02-29 01:02:03'`, 'null']],
  ['ts', 'timestamp(6) null', [`'1970-01-01 00:00:01'`, `'2038-01-19 03:14:07.999999'`, 'null', `'2024-10-27 00:30:00.5'`]],
  ['y', 'year', [`1901`, `2155`, `0`, 'null']],
  ['j', 'json', [`'{"a": [1,  2.50, null], "ü": "ä \\\\" 😀"}'`, `'null'`, 'null', `'"text"'`]],
  ['odd `name"', 'int', ['1', 'null']],
  ['g', 'geometry', [`st_geomfromtext('POINT(1 -2.5)')`, 'null', `st_geomfromtext('LINESTRING(0 0, 1 1)', 4326)`]],
]

/** Values that only MySQL has. */
export const OWN_COLUMNS: Columns = [
  ['zd', 'date', [`'0000-00-00'`, `'2020-00-00'`, `'2020-01-00'`, 'null']],
  ['zdt', 'datetime', [`'0000-00-00 00:00:00'`, 'null']],
  ['zti', 'time', [`'838:59:59'`, `'-838:59:59'`, `'-00:00:01'`, `'25:00:00'`, 'null']],
]

export async function nastyMysqlTable(db: RunsSql, name: string, columns: Columns): Promise<string> {
  const rows = Math.max(...columns.map(([, , values]) => values.length))
  const lines = Array.from({ length: rows }, (_, i) => `(${i}, ${columns.map(([, , values]) => values[i % values.length]).join(', ')})`)
  const quoted = (column: string) => `\`${column.replaceAll('`', '``')}\``
  await db.query(`drop table if exists \`${name}\``)
  await db.query(
    `create table \`${name}\` (id int primary key, ${columns.map(([column, type]) => `${quoted(column)} ${type}`).join(', ')}) engine = InnoDB character set utf8mb4`,
  )
  await db.query(`set session sql_mode = 'STRICT_ALL_TABLES'`)
  for (const line of lines) await db.query(`insert into \`${name}\` values ${line}`)
  return name
}
