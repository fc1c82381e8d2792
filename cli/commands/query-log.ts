/** `postern query list` and `query show`: what was asked of stores, and how it went. */
import type { QueryView } from '@postern/protocol/api/queries.ts'
import type { Command } from 'commander'
import { wholeNumber } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface ListFlags {
  /** True: without a number. */
  readonly slow?: true | number
  readonly failed?: boolean
  readonly store?: string
  readonly node?: string
  readonly caller?: string
  readonly limit: number
  readonly json?: boolean
}

const SLOW_MS = 1_000
const DAY_MS = 86_400_000

export function queryLogCommands(group: Command, shell: Shell): void {
  group
    .command('list')
    .description('the latest queries; those that run stand at the top')
    .option('--slow [ms]', `only those that took longer (default: ${SLOW_MS} ms)`, wholeNumber('--slow', 0, DAY_MS))
    .option('--failed', 'only those that failed')
    .option('--store <store>', 'only those of this store')
    .option('--node <node>', 'only those that this node answered')
    .option('--caller <token>', 'only those of the token of this name')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, 1_000), 20)
    .option('--json', 'machine-readable')
    .action((flags: ListFlags) => listQueries(flags, shell))
  group
    .command('show ID')
    .description('one query: figures, and which nodes were considered, chosen and tried, and why')
    .option('--json', 'machine-readable')
    .action(async (id: string, flags: { readonly json?: boolean }) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const view = await client.queries.get(id, shell.signal)
      if (flags.json) return printJson(shell, view)
      await showQuery(shell, view)
    })
}

async function listQueries({ slow, failed, store, node, caller, limit, json }: ListFlags, shell: Shell): Promise<void> {
  const { client } = await (await import('../api/connect.ts')).connect(shell)
  const { items } = await client.queries.list({
    limit,
    signal: shell.signal,
    ...(slow === undefined ? {} : { slowerThanMs: slow === true ? SLOW_MS : slow }),
    ...(failed ? { outcome: 'failed' as const } : {}),
    ...(store === undefined ? {} : { store }),
    ...(node === undefined ? {} : { node }),
    ...(caller === undefined ? {} : { caller }),
  })
  const shown = items.slice(0, limit)
  if (json) return printJson(shell, shown)
  if (shown.length === 0) return note(shell, 'There is no such query in the log.')
  const { count, duration, when } = await import('../output/format.ts')
  await printTable(
    shell,
    ['ID', 'STARTED', 'STORE', 'CALLER', 'NODE', 'OUTCOME', 'TRIES', 'WAITED', 'TOOK', 'ROWS', 'FAULT'],
    shown.map((query) => [
      query.id,
      when(query.startedAt),
      query.store,
      query.caller,
      query.node ?? '-',
      query.outcome,
      String(query.attempts.length),
      duration(query.queuedMs),
      duration(query.durationMs),
      count(query.rows),
      query.fault?.split(':')[0] ?? '-',
    ]),
  )
}

async function showQuery(shell: Shell, query: QueryView): Promise<void> {
  const [{ bytes, count, duration, when }, { queryStory }] = await Promise.all([
    import('../output/format.ts'),
    import('../output/query-text.ts'),
  ])
  printFacts(shell, [
    ['id', query.id],
    ['store', `${query.store} (gateway ${query.gateway})`],
    ['caller', query.caller],
    ['started', when(query.startedAt)],
    ['outcome', query.outcome],
    ['fault', query.fault ?? '-'],
    ['node', query.node ?? '-'],
    ['waited', duration(query.queuedMs)],
    ['first row', duration(query.firstRowMs)],
    ['took', duration(query.durationMs)],
    ['rows', count(query.rows)],
    ['bytes', bytes(query.bytes)],
    ['sql', query.sql ?? '- (kept only where the gateway has keepSqlText=true)'],
  ])
  printLines(shell, '', ...queryStory(query))
}
