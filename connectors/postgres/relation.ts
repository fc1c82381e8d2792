import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../copy-contract.ts'
import { quoteIfNeeded } from './browse.ts'
import { quoteTable, type TableName } from './names.ts'
import type { Row, Statement } from './statement-run.ts'
import { logicalType } from './types.ts'

export interface RelationColumn extends Column {
  readonly generated: boolean
  readonly hasDefault: boolean
  /** GENERATED ALWAYS AS IDENTITY: can be written with a new row, and never changed. */
  readonly fixed: boolean
}

/** A table or view as the catalogue has it. */
export interface Relation {
  readonly oid: string
  readonly schema: string
  readonly table: string
  /** Quoted, for SQL. */
  readonly sql: string
  /** For a person. */
  readonly title: string
  /** r table, p partitioned, v view, m materialized view, f foreign. */
  readonly kind: string
  readonly columns: readonly RelationColumn[]
  /** Columns of the primary key, else of the smallest unique index without nulls. */
  readonly key: readonly string[]
  readonly rows: number | null
  readonly bytes: number | null
  /** Other tables inherit from it: plain COPY would leave their rows out. */
  readonly hasChildren: boolean
}

const FACTS = `
  with recursive tree(oid) as (
    select c.oid from pg_class c where c.oid = to_regclass($1)
    union all
    select i.inhrelid from pg_inherits i join tree t on t.oid = i.inhparent
  )
  select c.oid, n.nspname, c.relname, c.relkind,
         (select case when bool_and(l.reltuples < 0 or l.relpages = 0 and pg_relation_size(l.oid) > 0) then null
                      else sum(greatest(l.reltuples, 0))::bigint end
            from pg_class l join tree t on t.oid = l.oid where l.relkind in ('r', 'm')),
         (select sum(pg_table_size(l.oid))::bigint from pg_class l join tree t on t.oid = l.oid where l.relkind in ('r', 'm')),
         exists (select from pg_inherits i where i.inhparent = c.oid)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = to_regclass($1)`

const COLUMNS = `
  with recursive base(attnum, oid, typmod, level) as (
    select a.attnum, a.atttypid, a.atttypmod, 0
      from pg_attribute a
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, t.typbasetype, case when b.typmod < 0 then t.typtypmod else b.typmod end, b.level + 1
      from base b join pg_type t on t.oid = b.oid
     where t.typtype = 'd'
  )
  select a.attname, b.oid, b.typmod, format_type(b.oid, b.typmod), a.attnotnull, a.attgenerated <> '', a.atthasdef or a.attidentity <> '',
         a.attidentity = 'a'
    from pg_attribute a
    join (select distinct on (attnum) * from base order by attnum, level desc) b on b.attnum = a.attnum
   where a.attrelid = to_regclass($1)
   order by a.attnum`

const KEY = `
  select (select json_agg(a.attname order by k.place)
            from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.place <= i.indnkeyatts)
    from pg_index i
   where i.indrelid = to_regclass($1) and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
     and not exists (select from pg_attribute a
                      where a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[]) and not a.attnotnull)
   order by i.indisprimary desc, i.indnkeyatts, i.indexrelid
   limit 1`

/** What is to be asked of a table; `relationOf` takes the answers. */
export function relationQuestions(name: TableName): readonly Statement[] {
  const params = [quoteTable(name)]
  return [FACTS, COLUMNS, KEY].map((sql) => ({ sql, params }))
}

/** Undefined when there is no such table. */
export function relationOf(answers: readonly (readonly Row[])[]): Relation | undefined {
  const [[facts] = [], columns = [], [key] = []] = answers
  if (!facts) return undefined
  const [oid, schema, table, kind, rows, bytes, hasChildren] = facts.map((cell) => cell ?? '')
  return {
    oid: oid ?? '',
    schema: schema ?? '',
    table: table ?? '',
    sql: quoteTable({ schema, table: table ?? '' }),
    title: `${quoteIfNeeded(schema ?? '')}.${quoteIfNeeded(table ?? '')}`,
    kind: kind ?? '',
    columns: columns.map(([column, type, typmod, native, notNull, generated, hasDefault, fixed]) => ({
      name: column ?? '',
      type: logicalType(Number(type), Number(typmod)),
      native: native ?? '',
      nullable: notNull !== 't',
      generated: generated === 't',
      hasDefault: hasDefault === 't',
      fixed: fixed === 't',
    })),
    key: JSON.parse(key?.[0] ?? '[]') as string[],
    rows: rows === '' ? null : Number(rows),
    bytes: bytes === '' ? null : Number(bytes),
    hasChildren: hasChildren === 't',
  }
}

export function tableMissing(what: string, place: string): Fault {
  return new Fault('TABLE_MISSING', { at: `${what} at ${place}` })
}
