import type { Catalog, CatalogEntry } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { quoteName } from '../digest.ts'
import { parseTableName } from './names.ts'
import type { Aim, Work } from './work.ts'

const AIM: Aim = { doing: 'query', about: 'catalog' }
/** The most entries of one answer. */
const ENTRIES = 10_000

const SCHEMAS = `
  select n.nspname
    from pg_namespace n
   where n.nspname !~ '^pg_(toast|temp)'
     and n.nspname not in ('pg_catalog', 'information_schema')
     and has_schema_privilege(n.oid, 'usage')
   order by n.nspname
   limit $1`

const TABLES = `
  select c.relname,
         c.relkind in ('v') as view,
         c.reltuples::bigint,
         case when c.relkind in ('r', 'm', 'p') then pg_total_relation_size(c.oid) end,
         (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'nullable', not a.attnotnull) order by a.attnum)
            from pg_attribute a
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1
     and c.relkind in ('r', 'p', 'v', 'm', 'f')
     and ($2::text is null or c.relname = $2)
   order by c.relname
   limit $3`

/** '' → schemas; a schema → its tables and views; a table → itself, with its columns. */
export async function browse(work: Work, path: string, signal: AbortSignal): Promise<Catalog> {
  if (path === '') {
    const rows = await work.rows(AIM, signal, SCHEMAS, [ENTRIES + 1])
    return catalog(
      path,
      rows.map(([name]) => ({ name: name ?? '', path: quoteIfNeeded(name ?? ''), type: 'schema' })),
    )
  }
  const { schema: first, table: second } = parseTableName(path)
  const schema = first ?? second
  const table = first === undefined ? null : second
  const rows = await work.rows(AIM, signal, TABLES, [schema, table, ENTRIES + 1])
  const [found] = rows.length > 0 ? [1] : await work.rows(AIM, signal, 'select 1 from pg_namespace where nspname = $1', [schema])
  if (!found || (table !== null && rows.length === 0)) throw new Fault('TABLE_MISSING', { at: path })
  return catalog(
    path,
    rows.map(([name, view, estimate, bytes, columns]) => ({
      name: name ?? '',
      path: `${quoteIfNeeded(schema)}.${quoteIfNeeded(name ?? '')}`,
      type: view === 't' ? 'view' : 'table',
      // −1: never analyzed.
      ...(view === 't' || estimate === null || estimate === undefined || Number(estimate) < 0 ? {} : { rows: Number(estimate) }),
      ...(bytes === null || bytes === undefined ? {} : { bytes: Number(bytes) }),
      columns: JSON.parse(columns ?? '[]') ?? [],
    })),
  )
}

function catalog(path: string, entries: readonly CatalogEntry[]): Catalog {
  return { path, entries: entries.slice(0, ENTRIES), truncated: entries.length > ENTRIES }
}

/** As a person would write it. */
export function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteName(name)
}
