import { Fault } from '@postern/protocol/fault.ts'
import type { Command } from 'commander'
import { askYes } from '../input/ask-yes.ts'
import { collect, wholeNumber } from '../input/pairs.ts'
import { note, printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import { nodeAdminCommands } from './node-admin.ts'
import { consoleCommands } from './node-console.ts'
import { recoveryCommand, recoveryKeyOf } from './node-recovery.ts'
import type { StartFlags } from './node-start.ts'

export const DEFAULT_NODE_DATA = '.postern/node'
const PORT = [0, 65_535] as const

const JOIN_HELP = `
Examples:
  postern node join --url https://postern.example.org --key KEY --name node-a --data /var/lib/postern-node
  postern node join --url https://postern.example.org --key KEY --recovery-key      (when no node of the gateway is left)`

interface JoinFlags {
  readonly url: string
  readonly key: string
  readonly name?: string
  readonly data: string
  readonly move?: boolean
  readonly recoveryKey?: string | true
  readonly json?: boolean
}

interface UninstallFlags {
  readonly data: string
  readonly force?: boolean
  readonly json?: boolean
}

interface UpgradingFlags {
  readonly data: string
  readonly end?: boolean
  readonly json?: boolean
}

export function nodeCommands(program: Command, shell: Shell): void {
  const group = program.command('node').description('this machine as a node, and the nodes of a gateway')
  group
    .command('join')
    .description('register this machine as a node of a gateway')
    .requiredOption('--url <url>', 'where the service is, as this machine reaches it')
    .requiredOption('--key <key>', "one of the gateway's authentication keys")
    .option('--name <name>', "the node's name (default: the machine's)")
    .option('--data <dir>', "the node's data folder", DEFAULT_NODE_DATA)
    .option(
      '--recovery-key [key]',
      'no node of the gateway is left: restore its key with the recovery key; asked for when no value is given, or env:VAR, or -',
    )
    .option('--move', 'if the folder holds a node of another gateway, take it out of that one')
    .option('--json', 'machine-readable')
    .addHelpText('after', JOIN_HELP)
    .action((flags: JoinFlags) => join(flags, shell))
  group
    .command('start')
    .description('run the node in the foreground; prints "ready NAME" when it works')
    .option('--data <dir>', 'the data folder that `node join` wrote', DEFAULT_NODE_DATA)
    .option(
      '--channel-port <port>',
      'where the other nodes of the gateway reach this one; 0 = any free port',
      wholeNumber('--channel-port', ...PORT),
      8050,
    )
    .option(
      '--channel-host <host[:port]>',
      'where they find it, if not at the address from which it reaches the service (behind NAT, in a container)',
    )
    .option('--channel-cert <file>', 'a certificate of your own for the channel (PEM, with its chain); for channelEncryption=certificate')
    .option('--channel-key <file>', 'its private key (PEM, without a passphrase)')
    .option('--channel-ca <file>', "whom to trust for the other nodes' certificates (default: the authorities that this machine trusts)")
    .option('--no-hand-over', "give the gateway's key to no node that comes with an authentication key: it joins with --recovery-key")
    .option('--secrets-dir <dir>', 'where stores may refer to files (`file:NAME`; default: secrets/ in the data folder)')
    .option(
      '--console-port <port>',
      'the configuration manager of this node, on 127.0.0.1; 0 = any free port',
      wholeNumber('--console-port', ...PORT),
      8051,
    )
    .option(
      '--allow-host <host>',
      'a name, address or network that stores may be at although it is link-local, or a cloud keeps its metadata there (repeatable)',
      collect,
      [],
    )
    .action(async (flags: StartFlags) => (await import('./node-start.ts')).runNode(flags, shell))
  group
    .command('upgrading')
    .description('say that the program on this machine is being updated: its node takes no new work until you say --end')
    .option('--end', 'the update is done')
    .option('--data <dir>', "the node's data folder", DEFAULT_NODE_DATA)
    .option('--json', 'machine-readable')
    .action((flags: UpgradingFlags) => upgrading(flags, shell))
  group
    .command('uninstall')
    .description("delete this machine's node from its gateway, and its keys from this machine; stop it first")
    .option('--force', 'also when the service cannot be told')
    .option('--data <dir>', "the node's data folder", DEFAULT_NODE_DATA)
    .option('--json', 'machine-readable')
    .action((flags: UninstallFlags) => uninstall(flags, shell))
  consoleCommands(group, shell, DEFAULT_NODE_DATA)
  recoveryCommand(group, shell, DEFAULT_NODE_DATA)
  nodeAdminCommands(group, shell)
}

async function upgrading({ data, end = false, json }: UpgradingFlags, shell: Shell): Promise<void> {
  const { markUpgrading } = await import('@postern/node/state/data-folder.ts')
  await markUpgrading(data, !end)
  if (json) return printJson(shell, { data, upgrading: !end })
  printLines(
    shell,
    end ? 'The node takes work again.' : 'The node takes no new work. When the update is done: postern node upgrading --end',
  )
}

async function join(flags: JoinFlags, shell: Shell): Promise<void> {
  const [{ joinNode }, { createLog }, { systemRandom }] = await Promise.all([
    import('@postern/node/join/join.ts'),
    import('@postern/base/log.ts'),
    import('@postern/base/random.ts'),
  ])
  const log = createLog('join', shell.env['POSTERN_LOG'] ?? 'warn')
  const { url, key, name, data, move } = flags
  const recoveryKey = flags.recoveryKey === undefined ? undefined : await recoveryKeyOf(flags.recoveryKey, shell)
  const options = { url, key, name, data, move, recoveryKey, log, clock: shell.clock, random: systemRandom }
  const joined = await joinNode(options).catch(async (cause: unknown) => {
    const elsewhere = cause instanceof Fault && cause.code === 'NODE_ALREADY_JOINED' && !flags.json
    if (!elsewhere || !(await askYes(`${cause.message} Move it?`, shell))) throw cause
    return joinNode({ ...options, move: true })
  })
  if (joined.moved?.fault) {
    const { from, fault } = joined.moved
    note(shell, `It could not be deleted where it was (${fault}); do it with: postern node delete ${from}`)
  }
  if (flags.json) return printJson(shell, { ...joined, data })
  printLines(shell, `This machine is node ${joined.name} of gateway ${joined.gateway}. Start it with: postern node start --data ${data}`)
  if (joined.fingerprint) note(shell, `Fingerprint of the gateway's key: ${joined.fingerprint}`)
}

async function uninstall({ data, force, json }: UninstallFlags, shell: Shell): Promise<void> {
  const { uninstallNode } = await import('@postern/node/join/leave.ts')
  const gone = await uninstallNode({ data, force, clock: shell.clock })
  if (json) return printJson(shell, { ...gone, data })
  printLines(shell, `Node ${gone.gateway}/${gone.name} is uninstalled: its keys and credentials are gone from ${data}.`)
  if (gone.fault) note(shell, `The gateway still has it (${gone.fault}); delete it with: postern node delete ${gone.gateway}/${gone.name}`)
  if (gone.nodesLeft === 0)
    note(shell, `It was the last node of ${gone.gateway}: the credentials of its stores must be given again once it has a node.`)
}
