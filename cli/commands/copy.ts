import type { CopyRequest } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Command } from 'commander'
import { collect, oneOf, parsePairs, wholeNumber } from '../input/pairs.ts'
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
  readonly splitBy?: string
  readonly partitionBy: readonly string[]
  readonly watermark?: string
  readonly skipIncompatible?: number
  readonly rejects?: string
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly parallel?: number
  readonly rowsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly timeout?: number
  readonly retries?: number
  readonly node?: string
  readonly follow: boolean
  readonly json?: boolean
}

const HELP = `
WHAT is a table, a path or glob, or "(select ...)"; WHERE is a table or a path. Paths are relative to the file store's own path.
A path that ends in "/" gets one file a task, any other exactly one file.
Ctrl-C leaves the run running.

Examples:
  postern copy shop archive --from public.orders --to public.orders --mode overwrite --verify checksum
  postern copy shop lake --from "(select * from orders where year = 2026)" --to orders-2026.parquet/ --parts 8
  postern copy lake shop --from "in/*.csv" --to staging.orders --read delimiter=";" --skip-incompatible 100 --rejects lake:rejects/
  postern copy shop archive --from orders --to orders --watermark id --rows-per-second 50000 --parallel 2`

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
    .option('--split-by <column>', 'cut the source into parts by this column')
    .option('--partition-by <column>', 'into a folder: rows go to folders by this column, as year=2026/ (repeat for more)', collect, [])
    .option('--watermark <column>', 'only rows above where the last successful copy of the same source, sink and column ended')
    .option(
      '--skip-incompatible <n>',
      'leave out rows that the target cannot take, at most n',
      wholeNumber('--skip-incompatible', 1, 1_000_000_000),
    )
    .option('--rejects <store:path>', 'a folder of a file store for the rows left out, with why and where')
    .option('--read <key=value>', 'how the source is read, for this copy alone, as delimiter=; (repeat for more)', collect, [])
    .option('--write <key=value>', 'how the target is written, for this copy alone (repeat for more)', collect, [])
    .option('--parallel <n>', 'the most parts that move at a time, over all nodes', wholeNumber('--parallel', 1, 1_000))
    .option('--rows-per-second <n>', 'of the whole copy', wholeNumber('--rows-per-second', 1, 1_000_000_000))
    .option('--bytes-per-second <n>', 'of the whole copy', wholeNumber('--bytes-per-second', 1_024, 1_000_000_000_000))
    .option('--timeout <seconds>', 'the copy fails after so long', wholeNumber('--timeout', 1, 31 * 86_400))
    .option('--retries <n>', 'how often a task is tried again after a fault that can pass (default: 3)', wholeNumber('--retries', 0, 20))
    .option('--node <name>', 'the only node that runs it: for paths that no other node sees')
    .option('--no-follow', 'start the run and leave')
    .option('--json', 'machine-readable')
    .addHelpText('after', HELP)
    .action(async (source: string, sink: string, flags: CopyFlags) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const run = await client.copy(copyRequest(source, sink, flags), shell.signal)
      if (flags.follow) {
        const { followToEnd } = await import('./run-follow.ts')
        return followToEnd(client, run.id, shell, flags.json === true)
      }
      if (flags.json) return printJson(shell, run)
      printLines(shell, `Run ${run.id} is started. Follow it: postern run watch ${run.id}`)
    })
}

/** What was not said is left out: the service has the defaults. */
function copyRequest(source: string, sink: string, flags: CopyFlags): CopyRequest {
  const { from, to, mode, key, partitionBy, verify, guarantee, skipIncompatible, rejects, timeout } = flags
  const { parts, splitBy, watermark, parallel, rowsPerSecond, bytesPerSecond, retries, node } = flags
  if (rejects !== undefined && skipIncompatible === undefined)
    throw new Fault('INPUT_INVALID', { at: '--rejects says where rows go that --skip-incompatible leaves out: give both.' })
  const skip = skipIncompatible === undefined ? {} : { skipIncompatibleRows: { limit: skipIncompatible, ...placeOf(rejects) } }
  const read = Object.fromEntries(parsePairs(flags.read, '--read'))
  const write = Object.fromEntries(parsePairs(flags.write, '--write'))
  const asked = { parts, splitBy, watermark, parallel, rowsPerSecond, bytesPerSecond, retries, node, timeoutMs: timeout && timeout * 1_000 }
  const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const folders = partitionBy.length > 0 && { partitionBy: [...partitionBy] }
  return { source, sink, from, to, mode, key: [...key], ...folders, verify, guarantee, read, write, ...skip, ...said }
}

/** STORE:PATH. */
function placeOf(text: string | undefined): { readonly rejects?: { readonly store: string; readonly path: string } } {
  if (text === undefined) return {}
  const at = text.indexOf(':')
  if (at <= 0 || at === text.length - 1)
    throw new Fault('INPUT_INVALID', { at: `--rejects takes STORE:PATH, such as lake:rejects/, not "${text}".` })
  return { rejects: { store: text.slice(0, at), path: text.slice(at + 1) } }
}
