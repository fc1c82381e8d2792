/** `postern session`: connections that are open (PostgreSQL wire, `postern connect`). */
import type { Command } from 'commander'
import { note, printJson, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

export function sessionCommands(program: Command, shell: Shell): void {
  const group = program.command('session').description('connections that are open: PostgreSQL wire, `postern connect`')
  group
    .command('list')
    .description('who is connected to which store by which node, newest first; at all replicas of the service')
    .option('--json', 'machine-readable')
    .action((flags: { readonly json?: boolean }) => listSessions(flags, shell))
  group
    .command('end ID')
    .description('end a connection, whatever it does; its client is told where it can be')
    .action(async (id: string) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.sessions.end(id, shell.signal)
      note(shell, `Session ${id} is ended.`)
    })
}

async function listSessions(flags: { readonly json?: boolean }, shell: Shell): Promise<void> {
  const { client } = await (await import('../api/connect.ts')).connect(shell)
  // An older service tells of itself only.
  const { items: sessions, silent = [] } = await client.sessions.all(shell.signal)
  if (flags.json) return printJson(shell, sessions)
  for (const url of silent) note(shell, `The service at ${url} does not answer: its connections are missing here.`)
  if (sessions.length === 0) return note(shell, 'Nobody is connected.')
  const { bytes, duration, when } = await import('../output/format.ts')
  await printTable(
    shell,
    ['ID', 'KIND', 'STARTED', 'STORE', 'CALLER', 'APPLICATION', 'ADDRESS', 'NODE', 'IDLE', 'IN', 'OUT'],
    sessions.map((session) => [
      session.id,
      session.kind,
      when(session.startedAt),
      session.store,
      session.caller,
      session.application || '-',
      session.address,
      session.node ?? '-',
      duration(session.idleMs),
      bytes(session.bytesIn),
      bytes(session.bytesOut),
    ]),
  )
}
