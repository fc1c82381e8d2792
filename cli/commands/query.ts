import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import type { Command } from 'commander'
import { oneOf, wholeNumber } from '../input/pairs.ts'
import type { Shell } from '../shell.ts'
import { queryLogCommands } from './query-log.ts'

export interface QueryFlags {
  readonly format?: QueryFormat | 'table'
  readonly explain?: boolean
  readonly write?: boolean
  readonly param: readonly string[]
  readonly maxRows?: number
  readonly timeout?: number
  readonly json?: boolean
}

const FORMATS = ['table', 'csv', 'ndjson', 'json', 'arrow'] as const

const HELP = `
The statement runs in a read-only transaction. Leaving (Ctrl-C, \`| head\`) cancels it in the database.
An SQL of "-" is read from stdin. A store named list or show can be asked through the API only.

Examples:
  postern query shop "select * from orders where id = \\$1" --param 42
  postern query shop "select * from orders" --format csv > orders.csv`

export function queryCommand(program: Command, shell: Shell): void {
  const command = program
    .command('query STORE SQL')
    .description('run a statement through the gateway and stream its rows to stdout')
    .option('--format <format>', 'table, csv, ndjson, json or arrow (default: table)', oneOf('--format', FORMATS))
    .option('--explain', 'say on stderr which nodes were considered, chosen and tried, and why')
    .option(
      '--param <value>',
      'value of $1, $2, ... (repeat for more)',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--write', 'let the statement change data')
    .option('--max-rows <n>', 'end the result after so many rows', wholeNumber('--max-rows', 1, 1_000_000_000_000))
    .option('--timeout <ms>', 'end the statement after so long', wholeNumber('--timeout', 1, 86_400_000))
    .option('--json', 'the same as --format json')
    .addHelpText('after', HELP)
    .action(async (store: string, sql: string, flags: QueryFlags) => {
      const { runQuery } = await import('./query-run.ts')
      await runQuery(store, sql, flags, shell)
    })
    // Options behind `list` and `show` are theirs, not of the query itself.
    .enablePositionalOptions()
  queryLogCommands(command, shell)
}
