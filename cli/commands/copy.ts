import type { Command } from 'commander'
import { collect, oneOf, wholeNumber } from '../input/pairs.ts'
import { printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface CopyFlags {
  readonly from: string
  readonly to: string
  readonly mode: 'append' | 'overwrite' | 'upsert'
  readonly key: readonly string[]
  readonly parts?: number
  readonly verify: 'none' | 'counts' | 'checksum'
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly follow: boolean
  readonly json?: boolean
}

const HELP = `
WHAT is a table, a path or glob, or "(select ...)"; WHERE is a table or a path. Paths are relative to the file store's own path.
A path that ends in "/" gets one file a task, any other exactly one file.
Ctrl-C leaves the run running.

Examples:
  postern copy shop archive --from public.orders --to public.orders --mode overwrite --verify checksum
  postern copy shop lake --from "(select * from orders where year = 2026)" --to orders-2026.parquet/ --parts 8`

export function copyCommand(program: Command, shell: Shell): void {
  program
    .command('copy SOURCE SINK')
    .description('copy rows from one store to another; follows until the end')
    .requiredOption('--from <what>', 'a table, a path or glob, or (select ...)')
    .requiredOption('--to <where>', 'a table or a path')
    .option('--mode <mode>', 'append, overwrite or upsert', oneOf('--mode', ['append', 'overwrite', 'upsert']), 'append')
    .option('--key <column>', 'key column of an upsert (repeat for more)', collect, [])
    .option('--parts <n>', 'how many tasks (default: by size)', wholeNumber('--parts', 1, 10_000))
    .option('--verify <how>', 'compare both ends: none, counts or checksum', oneOf('--verify', ['none', 'counts', 'checksum']), 'counts')
    .option(
      '--guarantee <which>',
      'exactly-once or at-least-once; refused when the stores cannot give it',
      oneOf('--guarantee', ['exactly-once', 'at-least-once']),
      'exactly-once',
    )
    .option('--no-follow', 'start the run and leave')
    .option('--json', 'machine-readable')
    .addHelpText('after', HELP)
    .action(async (source: string, sink: string, flags: CopyFlags) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const { from, to, mode, key, parts, verify, guarantee } = flags
      const run = await client.copy(
        { source, sink, from, to, mode, key: [...key], verify, guarantee, ...(parts === undefined ? {} : { parts }) },
        shell.signal,
      )
      if (flags.follow) {
        const { followToEnd } = await import('./run-follow.ts')
        return followToEnd(client, run.id, shell, flags.json === true)
      }
      if (flags.json) return printJson(shell, run)
      printLines(shell, `Run ${run.id} is started. Follow it: postern run watch ${run.id}`)
    })
}
