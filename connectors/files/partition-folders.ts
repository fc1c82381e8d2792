/** Rows in folders by their values, as Hive, Spark and DuckDB write and read them: `year=2026/month=1/`. Pure. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, LogicalType } from '../copy-contract.ts'
import { isHidden } from './formats.ts'

/** How Hive writes NULL. */
export const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'
/** The most bytes of a step of a path that every file system takes, with what it may add to it. */
const STEP_BYTES = 200
/** What Hive and Spark escape, and what Windows does not take in names. Other letters stay: those who read them as bytes and those who read them as characters agree. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are escaped too
const ESCAPED = /[\x00-\x1f"#%'*/:<=>?[\\\]^{|}\x7f]/g
/** Types whose values have one spelling that every reader of such folders knows. */
const TYPES: ReadonlySet<LogicalType['is']> = new Set(['bool', 'int16', 'int32', 'int64', 'text', 'date', 'uuid'])

/** Columns of the target itself, not copies of them. */
export type PartitionColumns = readonly Column[]

/** The columns by which rows go to folders, in the order in which the folders lie; fails where it cannot be so. */
export function partitionColumns(columns: readonly Column[], names: readonly string[]): PartitionColumns {
  const refuse = (why: string) => new Fault('INPUT_INVALID', { at: `partitionBy: ${why}` })
  const found = names.map((name) => {
    const column = columns.find((each) => each.name === name)
    if (!column) throw refuse(`there is no column ${name}`)
    if (!TYPES.has(column.type.is)) {
      throw new Fault('INPUT_INVALID', {
        at: `partitionBy: column ${name} is of type ${column.native}; folders are named by whole numbers, text, days, truth values and UUIDs`,
        remedy: 'Copy from a statement that makes such a column: --from "(select *, at::date as day from ...)".',
      })
    }
    if (isHidden(name)) throw refuse(`folders of column ${name} would be hidden from readers, for its name begins with "${name[0]}"`)
    return column
  })
  const small = found.map(({ name }) => name.toLowerCase())
  if (new Set(small).size < small.length) throw refuse('a column is named twice')
  if (found.length >= columns.length) throw refuse('no column would be left for the files')
  return found
}

/** The folder of a value in the `csv` encoding; `row` is where it stands, for a person. */
export function partitionFolder({ name, type: { is } }: Column, value: string | null, row: number): string {
  const unfit = (why: string) =>
    new Fault('ROW_INVALID', {
      at: `row ${row}, column ${name}: the value "${value?.slice(0, 80)}" is ${why}.`,
      remedy: 'Copy from a statement that gives another value for it, or NULL.',
    })
  if (is === 'date' && value !== null && !/^\d{4}-\d\d-\d\d$/.test(value)) throw unfit('no day that readers of folders know')
  if (value !== null && (value === '' || value === NULL_FOLDER || /^null$/i.test(value)))
    throw unfit('what readers of folders take for NULL')
  const folder = `${escaped(name)}=${value === null ? NULL_FOLDER : escaped(is === 'bool' ? `${value === 't'}` : value)}`
  if (Buffer.byteLength(folder) > STEP_BYTES) throw unfit(`longer than ${STEP_BYTES} bytes as a folder`)
  return folder
}

function escaped(text: string): string {
  return text.replaceAll(ESCAPED, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
