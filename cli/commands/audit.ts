/** `postern audit`: who did what, from where, with what outcome. */

import { once } from 'node:events'
import type { AuditFormat, AuditOutcome } from '@postern/protocol/api/audit.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Command } from 'commander'
import { oneOf, wholeNumber } from '../input/pairs.ts'
import { AUDIT_FORMATS, AUDIT_OUTCOMES } from '../input/roles.ts'
import { printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Filter {
  readonly who?: string
  readonly action?: string
  readonly target?: string
  readonly gateway?: string
  readonly outcome?: AuditOutcome
  readonly since?: string
  readonly until?: string
  readonly queries?: boolean
}

interface ListFlags extends Filter {
  readonly limit: number
  readonly json?: boolean
}

interface ExportFlags extends Filter {
  readonly format: AuditFormat
}

const HELP = `
Times are dates (2026-11-01, midnight UTC) or ISO 8601 (2026-11-01T08:00:00+01:00). An action is one (store.set) or all that begin so (store).

Examples:
  postern audit list --outcome refused
  postern audit export --since 2026-11-01 --until 2026-12-01 --queries --format csv > november.csv`

async function clientOf(shell: Shell) {
  return (await (await import('../api/connect.ts')).connect(shell)).client
}

export function auditCommands(program: Command, shell: Shell): void {
  const group = program.command('audit').description('who did what, from where, with what outcome').addHelpText('after', HELP)
  filtered(group.command('list').description('newest first'))
    .option('--limit <n>', 'the most lines', wholeNumber('--limit', 1, 1_000), 50)
    .option('--json', 'machine-readable')
    .action((flags: ListFlags) => list(flags, shell))
  filtered(group.command('export').description('all of it, oldest first, to stdout'))
    .option('--format <format>', AUDIT_FORMATS.join(', '), oneOf('--format', AUDIT_FORMATS), 'ndjson')
    .action((flags: ExportFlags) => write(flags, shell))
  group
    .command('keep [DAYS]')
    .description('how many days it is kept (0: for ever); without DAYS says so')
    .option('--json', 'machine-readable')
    .action(async (days: string | undefined, { json }: { readonly json?: boolean }) => {
      const client = await clientOf(shell)
      const now = await (days === undefined
        ? client.audit.settings(shell.signal)
        : client.audit.set({ keepDays: wholeNumber('DAYS', 0, 36_500)(days) }, shell.signal))
      if (json) return printJson(shell, now)
      printLines(shell, now.keepDays === 0 ? 'The audit is kept for ever.' : `The audit is kept for ${now.keepDays} days.`)
    })
}

function filtered(command: Command): Command {
  return command
    .option('--who <name>', 'only what this person, token or node did')
    .option('--action <action>', 'only this action, or all that begin so')
    .option('--target <target>', 'only what was done to this, such as "store shop"')
    .option('--gateway <name>', 'only what was done to this gateway, its nodes, stores and runs')
    .option('--outcome <outcome>', AUDIT_OUTCOMES.join(', '), oneOf('--outcome', AUDIT_OUTCOMES))
    .option('--since <time>', 'then or later', timeOf('--since'))
    .option('--until <time>', 'before then', timeOf('--until'))
    .option('--queries', 'with the queries of the query log')
}

const timeOf = (option: string) => (text: string) => {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new Fault('INPUT_INVALID', { at: `${option} must be a date or an ISO 8601 time, not "${text}".` })
  return new Date(time).toISOString()
}

async function list({ json, ...wanted }: ListFlags, shell: Shell): Promise<void> {
  const { items } = await (await clientOf(shell)).audit.list(wanted, shell.signal)
  if (json) return printJson(shell, items)
  const { when } = await import('../output/format.ts')
  const rows = items.map((one) => [when(one.at), one.who, one.ip ?? '-', one.action, one.target, one.outcome])
  await printTable(shell, ['WHEN', 'WHO', 'FROM', 'ACTION', 'TARGET', 'OUTCOME'], rows)
}

async function write(wanted: ExportFlags, shell: Shell): Promise<void> {
  const body = await (await clientOf(shell)).audit.export(wanted, shell.signal)
  for await (const bytes of body) if (!shell.stdout.write(bytes)) await once(shell.stdout, 'drain', { signal: shell.signal })
}
