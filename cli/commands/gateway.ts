import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { Command } from 'commander'
import { oneOf } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

export function gatewayCommands(program: Command, shell: Shell): void {
  const group = program.command('gateway').description('groups of nodes managed as one')
  addCreate(group, shell)
  group
    .command('list')
    .description('all gateways, with their status')
    .option('--json', 'machine-readable')
    .action(async (options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const gateways = await client.gateways.list(shell.signal)
      if (options.json) return printJson(shell, gateways)
      if (gateways.length === 0) return note(shell, 'There is no gateway yet: `postern gateway create NAME`.')
      await printTable(shell, ['NAME', 'STATUS', 'NODES', 'VERSION', 'POLICY'], gateways.map(gatewayRow))
    })
  group
    .command('show NAME')
    .description('one gateway: status, fingerprint, settings, nodes')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json) => {
      const { client, url } = await (await import('../api/connect.ts')).connect(shell)
      const gateway = await client.gateways.get(name, shell.signal)
      if (options.json) return printJson(shell, gateway)
      await printGateway(shell, gateway)
      await warnOfChange(shell, url, gateway)
    })
  addSet(group, shell)
  addKeys(group, shell)
  keyCommands(group, shell)
  group
    .command('delete NAME')
    .description('delete a gateway that has no nodes and no stores')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.gateways.delete(name, shell.signal)
      if (options.json) return printJson(shell, { name, deleted: true })
      printLines(shell, `Gateway ${name} is deleted.`)
    })
}

function addCreate(group: Command, shell: Shell): void {
  group
    .command('create NAME')
    .description('make a gateway; prints its two authentication keys, once')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json) => {
      const { client, url } = await (await import('../api/connect.ts')).connect(shell)
      const created = await client.gateways.create({ name }, shell.signal)
      if (options.json) return printJson(shell, created)
      printLines(
        shell,
        `Gateway ${created.name} is made. Its authentication keys are shown this once; each joins nodes:`,
        '',
        `  key 1  ${created.key1}`,
        `  key 2  ${created.key2}`,
        '',
        'On each machine that shall be a node:',
        '',
        `  npx postern node join --url ${url} --key ${created.key1} && npx postern node start`,
      )
    })
}

function addSet(group: Command, shell: Shell): void {
  group
    .command('set NAME KEY=VALUE...')
    .description('change settings; the nodes take them over at once. KEY=default takes one back')
    .option('--json', 'machine-readable')
    .action(async (name: string, words: string[], options: Json) => {
      const { parsePairs } = await import('../input/pairs.ts')
      const { gatewaySettings } = await import('../input/gateway-settings.ts')
      const settings = gatewaySettings(parsePairs(words, 'gateway set'))
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const gateway = await client.gateways.set(name, settings, shell.signal)
      if (options.json) return printJson(shell, gateway)
      printFacts(shell, settingFacts(gateway))
    })
    .addHelpText('after', SET_HELP)
}

const SET_HELP = `
All settings: docs/reference/settings.md; \`postern gateway show NAME\` shows those of today.

Examples:
  postern gateway set demo policy=least-loaded cpuPercent=85
  postern gateway set demo cpuPercent=default`

function addKeys(group: Command, shell: Shell): void {
  group
    .command('keys NAME')
    .description('the two authentication keys: when they were made, never the keys themselves')
    .option(
      '--regenerate <slot>',
      'make key 1 or 2 anew and print it, once; nodes that have joined are not touched',
      oneOf('--regenerate', ['1', '2']),
    )
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json & { readonly regenerate?: '1' | '2' }) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      if (options.regenerate !== undefined) {
        const made = await client.gateways.regenerateKey(name, options.regenerate === '1' ? 1 : 2, shell.signal)
        if (options.json) return printJson(shell, made)
        note(shell, `Key ${options.regenerate} of ${name} is new; the old one joins nobody any more. Shown this once:`)
        return printLines(shell, made.key1 ?? made.key2 ?? '')
      }
      const { keys } = await client.gateways.keys(name, shell.signal)
      if (options.json) return printJson(shell, { keys })
      const { when } = await import('../output/format.ts')
      await printTable(
        shell,
        ['KEY', 'HINT', 'MADE'],
        keys.map((key) => [String(key.slot), key.hint, when(key.createdAt)]),
      )
    })
}

function keyCommands(group: Command, shell: Shell): void {
  group
    .command('rotate-key NAME')
    .description('have a node make a new key for the gateway and seal every credential to it; nobody is asked for a password')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => (await import('./gateway-key.ts')).rotateKey(name, flags, shell))
  group
    .command('trust NAME')
    .description("know the gateway's key of today on this machine, after you compared its fingerprint with the one on a node")
    .option('--fingerprint <hex>', 'what the node shows; it must be the same as what the service says')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json & { readonly fingerprint?: string }) =>
      (await import('./gateway-key.ts')).trustKey(name, flags, shell),
    )
  group
    .command('forget-recovery-key NAME')
    .description('the recovery key opens nothing any more; without any node, the gateway begins anew with its next one')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => (await import('./gateway-key.ts')).forgetRecoveryKey(name, flags, shell))
}

/** Not only when something is to be sealed: who looks at the fingerprint wants to know. */
async function warnOfChange(shell: Shell, url: string, { id, name, publicKey }: GatewayView): Promise<void> {
  if (publicKey === null) return
  const { pinOf } = await import('../api/known-gateways.ts')
  const pin = await pinOf({ shell, url, gateway: { id, name, publicKey } })
  if (!pin || pin.same) return
  const since = pin.seenAt.slice(0, 10)
  note(
    shell,
    `WARNING: this machine knows another key of ${name} since ${since}: ${pin.fingerprint}. Compare, then: postern gateway trust ${name}`,
  )
}

function gatewayRow(gateway: GatewayView): string[] {
  const online = gateway.nodes.filter((node) => node.status === 'online').length
  return [gateway.name, gateway.status, `${online} of ${gateway.nodes.length} online`, gateway.version || '-', gateway.settings.policy]
}

/** What exceeds the slots of its nodes. */
function queueOf({ queue }: GatewayView): string {
  if (!queue || queue.tasks === 0) return 'empty'
  return `${queue.tasks} tasks of copies, the first has waited ${(queue.waitedMs / 1_000).toFixed(1)} s`
}

const settingFacts = (gateway: GatewayView) => Object.entries(gateway.settings).map(([name, value]) => [name, String(value)] as const)

async function printGateway(shell: Shell, gateway: GatewayView): Promise<void> {
  const { when } = await import('../output/format.ts')
  printFacts(shell, [
    ['name', gateway.name],
    ['status', gateway.status],
    ['version', gateway.version || '-'],
    ['fingerprint', gateway.fingerprint ?? '- (made when the first node joins)'],
    [
      'recovery key',
      gateway.recoveryKeyAt ? `since ${when(gateway.recoveryKeyAt)}` : 'none: make one with `postern node recovery-key` on a node',
    ],
    ['made', when(gateway.createdAt)],
    ['queue', queueOf(gateway)],
    ...settingFacts(gateway),
  ])
  if (gateway.nodes.length === 0) return
  const { nodeTable } = await import('../output/node-table.ts')
  printLines(shell, '')
  await nodeTable(shell, gateway.nodes)
}
