import type { RunView } from '@postern/protocol/api/runs.ts'
import type { Command } from 'commander'
import { wholeNumber } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

export function runCommands(program: Command, shell: Shell): void {
  const group = program.command('run').description('copies that run or have run')
  group
    .command('list')
    .description('the latest runs')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, 1_000), 20)
    .option('--json', 'machine-readable')
    .action(async (options: Json & { readonly limit: number }) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const { items } = await client.runs.list({ limit: options.limit, signal: shell.signal })
      if (options.json) return printJson(shell, items)
      if (items.length === 0) return note(shell, 'There is no run yet: `postern copy --help`.')
      const { count, duration, when } = await import('../output/format.ts')
      const rows = items.map((run) => [run.id, run.status, run.name, count(run.rowsWritten), duration(run.durationMs), when(run.createdAt)])
      await printTable(shell, ['ID', 'STATUS', 'COPY', 'ROWS', 'TIME', 'CREATED'], rows)
    })
  group
    .command('show ID')
    .description('one run: result, tasks, attempts, verification')
    .option('--json', 'machine-readable')
    .action(async (id: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const run = await client.runs.get(id, shell.signal)
      if (options.json) return printJson(shell, run)
      await showRun(shell, run)
    })
  group
    .command('watch ID')
    .description('follow a run to its end; the exit code is its outcome')
    .option('--json', 'machine-readable')
    .action(async (id: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const { followToEnd } = await import('./run-follow.ts')
      await followToEnd(client, id, shell, options.json === true)
    })
  group
    .command('cancel ID')
    .description('stop a run and take away what it left')
    .option('--json', 'machine-readable')
    .action(async (id: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const run = await client.runs.cancel(id, shell.signal)
      if (options.json) return printJson(shell, run)
      printLines(shell, `Run ${id} is ${run.status}.`)
    })
  addAgain(group, shell)
}

const AGAIN = {
  rerun: 'go on with a failed or cancelled run: parts that are in the target are not copied again',
  repair: 'verify a copy again, and copy again only the parts that differ',
} as const

function addAgain(group: Command, shell: Shell): void {
  for (const [action, summary] of Object.entries(AGAIN) as [keyof typeof AGAIN, string][])
    group
      .command(`${action} ID`)
      .description(summary)
      .option('--no-follow', 'start it and leave')
      .option('--json', 'machine-readable')
      .action(async (id: string, options: Json & { readonly follow: boolean }) => {
        const { client } = await (await import('../api/connect.ts')).connect(shell)
        const run = await client.runs[action](id, shell.signal)
        if (options.follow) {
          const { followToEnd } = await import('./run-follow.ts')
          return followToEnd(client, run.id, shell, options.json === true)
        }
        if (options.json) return printJson(shell, run)
        printLines(shell, `Run ${run.id} goes on. Follow it: postern run watch ${run.id}`)
      })
}

async function showRun(shell: Shell, run: RunView): Promise<void> {
  const [{ runResult }, { when }] = await Promise.all([import('../output/run-text.ts'), import('../output/format.ts')])
  printLines(shell, ...runResult(run).filter((line) => !/^ {2}(?:time|hint:) /.test(line)), '')
  printFacts(shell, [
    ['gateway', run.gateway],
    ['started by', run.startedBy],
    ['created', when(run.createdAt)],
    ['started', when(run.startedAt)],
    ['ended', when(run.endedAt)],
    ...(run.fault
      ? ([
          ['fault', `${run.fault.message} (${run.fault.code})`],
          ['remedy', run.fault.remedy],
        ] as const)
      : []),
  ])
  printLines(shell, ...(await import('../output/run-figures-text.ts')).runFigures(run))
  if (run.tasks.length === 0) return
  const { nodeRows, taskRows, NODE_HEAD, TASK_HEAD } = await import('../output/run-figures-text.ts')
  if (run.nodes.length > 0) {
    printLines(shell, '')
    await printTable(shell, NODE_HEAD, nodeRows(run))
  }
  printLines(shell, '')
  await printTable(shell, TASK_HEAD, taskRows(run))
}
