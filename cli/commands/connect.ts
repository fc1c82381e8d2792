import type { Command } from 'commander'
import { wholeNumber } from '../input/pairs.ts'
import type { Shell } from '../shell.ts'

const HELP = `
Each connection goes by a node that the gateway chooses, to the store's host and port. The store's own protocol is spoken, so sign in as
to the store itself. For PostgreSQL without its password, see \`docs/wire.md\`.

Example:
  postern connect shop --port 5433 &
  psql -h 127.0.0.1 -p 5433 -U app -d orders`

export function connectCommand(program: Command, shell: Shell): void {
  program
    .command('connect STORE')
    .description('open a local TCP port that leads to a store; prints "ready HOST:PORT"')
    .option('--port <port>', 'the local port; 0 = any free one', wholeNumber('--port', 0, 65_535), 0)
    .option('--json', 'print one line of JSON')
    .addHelpText('after', HELP)
    .action(async (store: string, flags: { readonly port: number; readonly json?: boolean }) => {
      const { runConnect } = await import('./connect-run.ts')
      await runConnect(store, flags, shell)
    })
}
