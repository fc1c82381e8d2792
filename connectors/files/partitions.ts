/** Folders that stand for columns: `year=2026/month=01/a.csv`. Pure. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column, LogicalType } from '../copy-contract.ts'
import { NULL_FOLDER } from './partition-folders.ts'
import { identifier, literal } from './sql.ts'
import { duckType } from './types.ts'

export interface Partitions {
  readonly columns: readonly Column[]
  /** Of each file, in their order. */
  readonly values: readonly (readonly (string | null)[])[]
}

/** All files must have the same of them, in the same order. `declared`: the types that a manifest says. */
export function partitionsOf(paths: readonly string[], title: string, declared?: readonly Column[]): Partitions {
  const pairs = paths.map(pairsOf)
  const names = (pairs[0] ?? []).map(([name]) => name)
  const other = pairs.findIndex((of) => of.map(([name]) => name).join('/') !== names.join('/'))
  if (other > 0) {
    throw new Fault('COLUMN_MISMATCH', { at: `${title}: ${paths[0]} and ${paths[other]} lie in folders of different columns.` })
  }
  const values = pairs.map((of) => of.map(([, value]) => value))
  if (declared && declared.map(({ name }) => name).join('/') !== names.join('/')) {
    throw new Fault('COLUMN_MISMATCH', { at: `${title}: its manifest tells of other folders than ${paths[0]} lies in.` })
  }
  const columns = names.map((name, i): Column => {
    if (declared?.[i]) return declared[i]
    const type = typeOf(values.map((of) => of[i] ?? null))
    return { name, type, native: duckType(type), nullable: true }
  })
  return { columns, values }
}

function pairsOf(path: string): readonly (readonly [string, string | null])[] {
  const folders = path.split('/').slice(0, -1)
  return folders.filter((step) => /^[^=]+=/.test(step)).map(pairOf)
}

/** What the folders of a file say, in their order. */
export function folderValues(path: string): readonly (string | null)[] {
  return pairsOf(path).map(([, value]) => value)
}

function pairOf(step: string): readonly [string, string | null] {
  const at = step.indexOf('=')
  const value = step.slice(at + 1)
  return [decoded(step.slice(0, at)), value === NULL_FOLDER ? null : decoded(value)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** "01" is a number here as elsewhere it is not: months and days are written so. */
function typeOf(values: readonly (string | null)[]): LogicalType {
  const known = values.filter((value) => value !== null)
  const all = (pattern: RegExp) => known.length > 0 && known.every((value) => pattern.test(value))
  if (all(/^-?\d{1,9}$/)) return { is: 'int32' }
  if (all(/^-?\d{1,18}$/)) return { is: 'int64' }
  if (all(/^\d{4}-\d\d-\d\d$/) && known.every((value) => !Number.isNaN(Date.parse(value)))) return { is: 'date' }
  return { is: 'text' }
}

/** SQL: a relation with the columns of the folders behind its own. */
export function withPartition(relation: string, columns: readonly Column[], values: readonly (string | null)[]): string {
  const constants = columns.map(({ name, type }, i) => {
    const value = values[i] ?? null
    return `cast(${value === null ? 'null' : literal(value)} as ${duckType(type)}) as ${identifier(name)}`
  })
  return `(select t.*, ${constants.join(', ')} from ${relation} as t)`
}

export function refuseTwice(own: readonly Column[], partition: readonly Column[]): void {
  const names = new Set(own.map(({ name }) => name.toLowerCase()))
  const twice = partition.find(({ name }) => names.has(name.toLowerCase()))
  if (twice) throw new Fault('COLUMN_MISMATCH', { at: `column ${twice.name} stands in the files and in the names of their folders` })
}
