/**
 * What a statement reads, taken from DuckDB's own syntax tree of it. DuckDB itself keeps to the store's folder only by the text of a
 * path; links, hidden files and functions that run other text are kept out here, before DuckDB has bound anything.
 */
import { Fault } from '@postern/protocol/fault.ts'

type Node = Record<string, unknown>

/** Functions whose first argument names files. */
const READERS: ReadonlySet<string> = new Set([
  'read_csv',
  'read_csv_auto',
  'read_parquet',
  'parquet_scan',
  'read_json',
  'read_json_auto',
  'read_ndjson',
  'read_ndjson_auto',
  'read_json_objects',
  'read_json_objects_auto',
  'read_ndjson_objects',
  'read_text',
  'read_blob',
  'sniff_csv',
  'parquet_metadata',
  'parquet_schema',
  'parquet_file_metadata',
  'parquet_kv_metadata',
  'glob',
])
/** Functions in FROM that read no file. */
const HARMLESS: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
  'duckdb_functions',
  'duckdb_keywords',
  'duckdb_types',
])
/** Plans a text that this page has not seen. */
const SCALARS_REFUSED: ReadonlySet<string> = new Set(['json_serialize_plan', 'getenv'])

export interface PathLookup {
  /** Makes the name mean the store's files where it names some. */
  table(name: string, qualified: boolean): Promise<void>
  /** The files that a path or pattern means. */
  files(path: string): Promise<readonly string[]>
}

/** Throws for what may not be; puts the files that were found in the place of the paths of functions. */
export async function guardStatement(tree: unknown, lookup: PathLookup): Promise<void> {
  const nodes = [...nodesOf(tree)]
  const withNames = new Set(nodes.flatMap(cteNames))
  for (const name of withNames) {
    if (/[./\\*?[\]]/.test(name)) throw new Fault('QUERY_FAILED', { at: `The name ${name} after WITH looks like a path.` })
  }
  for (const node of nodes) {
    const type = node['type']
    if (type === 'BASE_TABLE') await guardTable(node, withNames, lookup)
    else if (type === 'TABLE_FUNCTION') await guardReader(node['function'] as Node, lookup)
    else if (type === 'SHOW_REF' && text(node['table_name']) !== '') {
      throw new Fault('QUERY_FAILED', { at: 'SHOW is not possible here.', remedy: 'See `postern store browse` for the files there are.' })
    } else if (node['class'] === 'FUNCTION' && SCALARS_REFUSED.has(text(node['function_name']).toLowerCase())) {
      throw refused(text(node['function_name']))
    }
  }
}

async function guardTable(node: Node, withNames: ReadonlySet<string>, lookup: PathLookup): Promise<void> {
  const steps = [node['catalog_name'], node['schema_name'], node['table_name']].map(text).filter((step) => step !== '')
  const name = steps.join('.')
  if (steps.length === 1 && withNames.has(name.toLowerCase())) return
  await lookup.table(name, steps.length > 1)
}

async function guardReader(call: Node, lookup: PathLookup): Promise<void> {
  const name = text(call['function_name']).toLowerCase()
  if (HARMLESS.has(name)) return
  if (!READERS.has(name)) throw refused(name)
  const [first, ...rest] = (call['children'] ?? []) as readonly Node[]
  const constants = first?.['function_name'] === 'list_value' ? ((first['children'] ?? []) as readonly Node[]) : first ? [first] : []
  const found: string[] = []
  for (const constant of constants) {
    const path = pathOf(constant)
    if (path === undefined) {
      throw new Fault('QUERY_FAILED', { at: `The paths of ${name} must be written out as text, not computed or given as a value.` })
    }
    found.push(...(await lookup.files(path)))
  }
  const [only] = found
  if (only === undefined) throw new Fault('FILE_MISSING', { at: `(${name})` })
  call['children'] = [found.length === 1 ? constantOf(only) : listOf(found), ...rest]
}

function pathOf(node: Node): string | undefined {
  const value = node['value'] as { type?: { id?: unknown }; is_null?: unknown; value?: unknown } | undefined
  return node['class'] === 'CONSTANT' && value?.type?.id === 'VARCHAR' && typeof value.value === 'string' ? value.value : undefined
}

/** A path as a constant that DuckDB does not take for a pattern. */
function constantOf(path: string): Node {
  const value = { type: { id: 'VARCHAR' }, is_null: false, value: path.replaceAll(/[*?[]/g, '[$&]') }
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', value }
}

function listOf(paths: readonly string[]): Node {
  const children = paths.map(constantOf)
  return {
    class: 'FUNCTION',
    type: 'FUNCTION',
    function_name: 'list_value',
    schema: 'main',
    children,
    order_bys: { type: 'ORDER_MODIFIER' },
  }
}

function cteNames(node: Node): readonly string[] {
  const own = node['cte_map'] as { map?: readonly { key?: unknown }[] } | undefined
  const recursive = node['type'] === 'RECURSIVE_CTE_NODE' || node['type'] === 'CTE_NODE' ? [text(node['cte_name'])] : []
  return [...(own?.map ?? []).map(({ key }) => text(key)), ...recursive].filter((name) => name !== '').map((name) => name.toLowerCase())
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item)
  else if (typeof value === 'object' && value !== null) {
    yield value as Node
    for (const item of Object.values(value)) yield* nodesOf(item)
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function refused(name: string): Fault {
  return new Fault('QUERY_FAILED', { at: `The function ${name} is not possible here.` })
}
