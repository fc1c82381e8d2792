import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '@postern/base/log.ts'
import type { ConsoleWish } from '@postern/node/console/console-desk.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Exit } from '../exit.ts'
import { note, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

export interface StartFlags {
  readonly data: string
  readonly channelPort: number
  readonly channelHost?: string
  readonly consolePort: number
  readonly channelCert?: string
  readonly channelKey?: string
  readonly channelCa?: string
  readonly handOver: boolean
  readonly secretsDir?: string
  readonly allowHost: readonly string[]
}

/** After a signal, work in hand may go on for so long; what is left is given to other nodes. */
const DRAIN_MS = 10_000
const EXIT_MS = 20_000
/** Built by `npm ci`. */
const PAGES = join(import.meta.dirname, '../../portal/console/dist')
/** "Try again" (sysexits.h): where the process cannot replace itself, whoever watches over it starts it again. */
const EXIT_RESTART = 75

/** Runs the node until it is stopped, and does what somebody at its console wants of the process. */
export async function runNode(flags: StartFlags, shell: Shell): Promise<void> {
  const [{ startNode }, { createLog }, { LogRing }, { systemRandom }, { runUntilStopped }] = await Promise.all([
    import('@postern/node/node.ts'),
    import('@postern/base/log.ts'),
    import('@postern/base/log-ring.ts'),
    import('@postern/base/random.ts'),
    import('./foreground.ts'),
  ])
  const lines = new LogRing(Buffer.from(systemRandom.bytes(9)).toString('base64url'))
  const log = createLog('node', shell.env['POSTERN_LOG'], lines)
  const { data, channelPort, channelHost, consolePort, allowHost } = flags
  const options = {
    data,
    channelPort,
    channelHost,
    consolePort,
    channelCertificate: certificatePaths(flags),
    handOver: flags.handOver,
    secretsFolder: flags.secretsDir,
  }
  let notice: string | undefined
  for (;;) {
    const console = { pages: PAGES, lines, notice }
    const node = await startNode({ ...options, allowHosts: allowHost, console, log, clock: shell.clock, random: systemRandom })
    printLines(shell, `ready ${node.name}`)
    const wish = await runUntilStopped(node, shell, { drainMs: DRAIN_MS, exitMs: EXIT_MS })
    if (wish === undefined || wish.act === 'stop') return
    if (wish.act === 'restart') return await replaceProcess(shell, log)
    notice = await switchGateway(wish, data, shell, log)
  }
}

/**
 * The same process, from the start, with what lies on the disk now: the same id and terminal, so that neither systemd nor a container
 * nor a shell sees an end. Where the system cannot do that (Windows), it ends with a code of its own.
 */
async function replaceProcess(shell: Shell, log: Log): Promise<never> {
  note(shell, 'restarts, as asked at the console')
  await new Promise<void>((resolve) => log.flush(() => resolve()))
  // What was written to a pipe or a terminal a moment ago must be out before the memory is gone.
  await wait(50)
  const { execPath, execArgv, argv, env } = process
  try {
    process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], env)
  } catch (cause) {
    log.warn({ err: cause }, 'the process cannot replace itself')
  }
  throw new Exit(EXIT_RESTART)
}

/** What `node join --move` does. A node that could not be moved goes on where it was, and says why. */
async function switchGateway(
  { url, key, name }: Extract<ConsoleWish, { readonly act: 'switch' }>,
  data: string,
  shell: Shell,
  log: Log,
): Promise<string | undefined> {
  const [{ joinNode }, { systemRandom }] = await Promise.all([import('@postern/node/join/join.ts'), import('@postern/base/random.ts')])
  const options = { url, key: key.reveal(), name, data, move: true, log, clock: shell.clock, random: systemRandom }
  try {
    const joined = await joinNode(options)
    log.info({ gateway: joined.gateway, name: joined.name }, 'this machine is a node of another gateway now')
    const { moved } = joined
    return moved?.fault ? `It could not be deleted where it was (${moved.fault}); do it with: postern node delete ${moved.from}` : undefined
  } catch (cause) {
    const { message, remedy, code } = Fault.from(cause)
    log.warn({ code, reason: message }, 'the switch to another gateway failed')
    return `The switch to another gateway failed: ${message} ${remedy}`
  }
}

function certificatePaths({ channelCert: cert, channelKey: key, channelCa: ca }: StartFlags) {
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Fault('CONFIG_INVALID', { at: '--channel-cert and --channel-key go together.' })
  return { cert, key, ca }
}
