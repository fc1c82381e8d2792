import { join } from 'node:path'
import type { Command } from 'commander'
import { wholeNumber } from '../input/pairs.ts'
import { printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

export const DEFAULT_SERVICE_DATA = '.postern/service'
const DEFAULT_POSTGRES_PORT = 7432
/** After a signal, requests in hand may go on for so long. */
const DRAIN_MS = 5_000
const EXIT_MS = 20_000
/** Built by `npm ci`. */
const PAGES = join(import.meta.dirname, '../../portal/dist')

interface StartFlags {
  readonly data: string
  readonly host: string
  readonly port: number
  readonly postgresPort?: number | 'off'
  readonly databaseUrl?: string
  readonly publicUrl?: string
  readonly replicaUrl?: string
  readonly trustedProxies?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly allowPlainHttp?: boolean
}

const HELP = `
The first start makes a PostgreSQL of its own in DIR and writes the administrator's token to DIR/admin-token.
Back DIR up, and the folder that DIR/postgres.json names, if it does. Logs go to stderr, one line of JSON each; POSTERN_LOG=debug says more.

Examples:
  postern service start
  postern service start --data /var/lib/postern --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem --public-url https://postern.example.org:7400
  postern service start --database-url postgres://postern:PASSWORD@db.internal/postern --replica-url http://10.0.0.11:7400 --host 10.0.0.11 --allow-plain-http`

export function serviceCommands(program: Command, shell: Shell): void {
  program
    .command('service')
    .description('the control plane and relay')
    .command('start')
    .description('run the service in the foreground; prints "ready URL" when it serves')
    .option('--data <dir>', 'where it keeps everything', DEFAULT_SERVICE_DATA)
    .option('--host <host>', 'the address it listens on', '127.0.0.1')
    .option('--port <port>', 'the port it listens on; 0 = any free port', wholeNumber('--port', 0, 65_535), 7400)
    .option(
      '--postgres-port <port>',
      'for psql, drivers and BI tools; 0 = any free port, off = none (default: 7432 if it is free)',
      postgresPort,
    )
    .option('--database-url <url>', 'a PostgreSQL of your own instead of the embedded one')
    .option('--public-url <url>', 'how nodes and people reach it (default: what it listens on)')
    .option('--replica-url <url>', 'how other services on the same database reach this one (default: what it listens on)')
    .option(
      '--trusted-proxies <addresses>',
      'addresses or networks of proxies before it, with commas between: limits and audit go by the address that they name',
    )
    .option('--tls-cert <file>', 'serve HTTPS with this certificate chain (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--allow-plain-http', 'listen beyond this machine without TLS: something in front of it speaks TLS')
    .addHelpText('after', HELP)
    .action((flags: StartFlags) => start(flags, shell))
}

function postgresPort(text: string): number | 'off' {
  return text === 'off' ? text : wholeNumber('--postgres-port', 0, 65_535)(text)
}

async function start(flags: StartFlags, shell: Shell): Promise<void> {
  const [{ startService }, { createLog }, { systemRandom }, { runUntilStopped }, { welcome }] = await Promise.all([
    import('@postern/service/service.ts'),
    import('@postern/base/log.ts'),
    import('@postern/base/random.ts'),
    import('./foreground.ts'),
    import('./service-welcome.ts'),
  ])
  const { data, host, port, postgresPort: wire, databaseUrl, publicUrl, replicaUrl, tlsCert, tlsKey } = flags
  const log = createLog('service', shell.env['POSTERN_LOG'])
  const service = await startService({
    data,
    host,
    port,
    postgres: wire === 'off' ? undefined : { port: wire ?? DEFAULT_POSTGRES_PORT, required: wire !== undefined },
    databaseUrl,
    publicUrl,
    replicaUrl,
    trustedProxies: flags.trustedProxies?.split(',').map((text) => text.trim()),
    tls: await readTls(tlsCert, tlsKey),
    allowPlainHttp: flags.allowPlainHttp,
    pages: PAGES,
    log,
    clock: shell.clock,
    random: systemRandom,
  })
  printLines(shell, `ready ${service.url}`)
  if (shell.stdout.isTTY) printLines(shell, await welcome({ url: publicUrl ?? service.url, adminTokenFile: service.adminTokenFile }))
  await runUntilStopped(service, shell, { drainMs: DRAIN_MS, exitMs: EXIT_MS })
}

async function readTls(cert: string | undefined, key: string | undefined): Promise<{ cert: string; key: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined
  const [{ readFile }, { Fault }] = await Promise.all([import('node:fs/promises'), import('@postern/protocol/fault.ts')])
  if (cert === undefined || key === undefined) throw new Fault('CONFIG_INVALID', { at: '--tls-cert and --tls-key go together.' })
  const read = (path: string) =>
    readFile(path, 'utf8').catch((cause: unknown) => {
      throw new Fault('CONFIG_INVALID', { at: `${path} cannot be read.`, remedy: 'Name a PEM file that this user may read.', cause })
    })
  return { cert: await read(cert), key: await read(key) }
}
