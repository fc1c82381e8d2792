import { APPLY_KINDS, type ApplyKind } from '@postern/protocol/api/apply.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Command } from 'commander'
import type { Change } from '../apply/change.ts'
import { collect, oneOf } from '../input/pairs.ts'
import { note, printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface ApplyFlags {
  readonly file?: string
  readonly dryRun?: boolean
  readonly prune: readonly string[]
  readonly reseal?: boolean
  readonly acceptNewFingerprint?: boolean
  readonly schema?: boolean
  readonly json?: boolean
}

const HELP = `
What the file does not name is left alone. Secrets are read where it says ({env: NAME}, {file: PATH}) and sealed here; sealed anew only where
secretsVersion or their source has changed, or with --reseal. See docs/apply.md.`

export function applyCommand(program: Command, shell: Shell): void {
  program
    .command('apply')
    .description('make gateways, stores, people, groups and grants as a YAML file says; what is so already is not touched')
    .option('-f, --file <file>', 'the file; - is stdin')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--prune <kind>', `delete what of a kind does not stand in the file: ${APPLY_KINDS.join(', ')} (repeatable)`, collect, [])
    .option('--reseal', 'seal all secrets anew, whatever their version says')
    .option('--accept-new-fingerprint', "seal to the gateway's key although this machine knew another")
    .option('--schema', 'print the JSON Schema of the file')
    .option('--json', 'machine-readable')
    .addHelpText('after', HELP)
    .action((flags: ApplyFlags) => apply(flags, shell))
}

async function apply(flags: ApplyFlags, shell: Shell): Promise<void> {
  if (flags.schema) {
    const { applySchema } = await import('../apply/apply-schema.ts')
    return printJson(shell, applySchema())
  }
  if (flags.file === undefined) throw new Fault('INPUT_INVALID', { at: 'apply needs a file: -f FILE.' })
  const prune = flags.prune.map(oneOf('--prune', APPLY_KINDS)) as ApplyKind[]
  const [{ readApplySource }, { planApply }, { connect }] = await Promise.all([
    import('../apply/apply-source.ts'),
    import('../apply/plan.ts'),
    import('../api/connect.ts'),
  ])
  const source = readApplySource(flags.file === '-' ? 'stdin' : flags.file, await textOf(flags.file, shell))
  const { client, url } = await connect(shell)
  const acceptNewFingerprint = flags.acceptNewFingerprint === true
  const changes = await planApply({ client, url, source, prune, reseal: flags.reseal === true, acceptNewFingerprint, shell })
  if (flags.dryRun) return report(changes, new Map(), flags, shell)
  const done = new Map<Change, Readonly<Record<string, string>>>()
  try {
    for (const change of changes) if (isWork(change)) done.set(change, await change.run(shell.signal))
  } catch (cause) {
    report(changes, done, flags, shell)
    const failed = changes.find((change) => isWork(change) && !done.has(change))
    throw located(Fault.from(cause), failed, { done: done.size, all: changes.filter(isWork).length })
  }
  report(changes, done, flags, shell)
}

const isWork = ({ action }: Change) => action !== 'same' && action !== 'wait'

/** What the service said, and where in the file it is about; what came before it stays as it was made. */
function located(fault: Fault, change: Change | undefined, { done, all }: { readonly done: number; readonly all: number }): Fault {
  if (!change) return fault
  const named = new Fault(fault.code, { remedy: fault.remedy, details: fault.details, cause: fault })
  named.message = `${change.where ? `${change.where}: ` : ''}${change.kind} ${change.name}: ${fault.message} (${done} of ${all} changes were made before it; apply again to go on.)`
  return named
}

async function textOf(file: string, shell: Shell): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  if (file !== '-')
    return readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Fault('INPUT_INVALID', { at: `${file} cannot be read.`, remedy: 'Name a YAML file that this user may read.', cause })
    })
  const chunks: Buffer[] = []
  for await (const chunk of shell.stdin) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString('utf8')
}

const SIGNS = { create: '+', change: '~', delete: '-', same: '=', wait: '?' } as const

function report(
  changes: readonly Change[],
  done: ReadonlyMap<Change, Readonly<Record<string, string>>>,
  flags: ApplyFlags,
  shell: Shell,
): void {
  if (flags.json) {
    const shown = changes.map((change) => {
      const { kind, name, action, fields, why, where } = change
      const once = done.get(change) ?? {}
      return {
        kind,
        name,
        action,
        fields,
        ...(why ? { why } : {}),
        ...(where ? { where } : {}),
        done: done.has(change),
        ...(Object.keys(once).length > 0 ? { once } : {}),
      }
    })
    printJson(shell, { dryRun: flags.dryRun === true, changes: shown, ...countsOf(changes) })
    return
  }
  for (const change of changes) {
    const { kind, name, action, fields, why } = change
    if (action === 'same') continue
    const undone = !flags.dryRun && isWork(change) && !done.has(change) ? ' (not done)' : ''
    printLines(shell, `${SIGNS[action]} ${kind} ${name}${why ? `: ${why}` : ''}${undone}`)
    for (const { name: field, before, after } of fields) printLines(shell, `    ${field}: ${valueText(before, after)}`)
    for (const [what, text] of Object.entries(done.get(change) ?? {})) printLines(shell, `    ${what}: ${text}   (shown this once)`)
  }
  const { created, changed, deleted, unchanged, waiting } = countsOf(changes)
  const verb = flags.dryRun ? 'would be ' : ''
  const waits = waiting > 0 ? `; ${waiting} must wait: apply again then` : ''
  const differing = created + changed + deleted
  if (differing === 0) note(shell, `Nothing has changed: ${unchanged} as the file says${waits}.`)
  else note(shell, `${created} ${verb}created, ${changed} ${verb}changed, ${deleted} ${verb}deleted, ${unchanged} unchanged${waits}.`)
}

function valueText(before: string | undefined, after: string | undefined): string {
  if (before === undefined) return after ?? ''
  return after === undefined ? `${before} → default` : `${before} → ${after}`
}

function countsOf(changes: readonly Change[]) {
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  return { created: count('create'), changed: count('change'), deleted: count('delete'), unchanged: count('same'), waiting: count('wait') }
}
