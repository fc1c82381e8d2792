/** `postern node …` about any node of a gateway, by the service. */
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import type { Command } from 'commander'
import { parseNodePath, parsePairs } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

const ACTIONS = {
  drain: 'let a node finish what it has and take nothing new',
  enable: 'let a drained or disabled node work again',
  disable: 'switch a node off: it takes no work; what runs goes on',
} as const

export function nodeAdminCommands(group: Command, shell: Shell): void {
  group
    .command('list GATEWAY')
    .description("a gateway's nodes, with status and reasons")
    .option('--json', 'machine-readable')
    .action(async (gateway: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const nodes = await client.nodes.list(gateway, shell.signal)
      if (options.json) return printJson(shell, nodes)
      if (nodes.length === 0) return note(shell, `Gateway ${gateway} has no nodes yet: \`postern node join\` on a machine.`)
      await (await import('../output/node-table.ts')).nodeTable(shell, nodes)
    })
  group
    .command('show GATEWAY/NODE')
    .description('one node: status, load, limits and where they come from')
    .option('--json', 'machine-readable')
    .action(async (path: string, options: Json) => {
      const { gateway, node } = parseNodePath(path)
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await showNode(shell, await client.nodes.get(gateway, node, shell.signal), options)
    })
  group
    .command('set GATEWAY/NODE KEY=VALUE...')
    .description("override the gateway's settings for one node, give it weight and labels; KEY=default takes one back")
    .option('--json', 'machine-readable')
    .action(async (path: string, words: string[], options: Json) => {
      const { gateway, node } = parseNodePath(path)
      const { nodeSettings } = await import('../input/gateway-settings.ts')
      const settings = nodeSettings(parsePairs(words, 'node set'))
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await showNode(shell, await client.nodes.change(gateway, node, { settings }, shell.signal), options)
    })
    .addHelpText('after', '\nExample:\n  postern node set demo/node-a jobConcurrency=2 weight=3 labels=site=berlin,disk=ssd')
  for (const action of ['drain', 'enable', 'disable'] as const) addAction(group, shell, action)
  group
    .command('rename GATEWAY/NODE NEW-NAME')
    .description('give a node another name')
    .option('--json', 'machine-readable')
    .action(async (path: string, name: string, options: Json) => {
      const { gateway, node } = parseNodePath(path)
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const renamed = await client.nodes.change(gateway, node, { name }, shell.signal)
      if (options.json) return printJson(shell, renamed)
      printLines(shell, `Node ${path} is now ${gateway}/${renamed.name}.`)
    })
  group
    .command('delete GATEWAY/NODE')
    .description('take a node out of its gateway; it can join again')
    .option('--json', 'machine-readable')
    .action(async (path: string, options: Json) => {
      const { gateway, node } = parseNodePath(path)
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.nodes.delete(gateway, node, shell.signal)
      if (options.json) return printJson(shell, { gateway, name: node, deleted: true })
      printLines(shell, `Node ${path} is deleted.`)
    })
}

function addAction(group: Command, shell: Shell, action: keyof typeof ACTIONS): void {
  group
    .command(`${action} GATEWAY/NODE`)
    .description(ACTIONS[action])
    .option('--json', 'machine-readable')
    .action(async (path: string, options: Json) => {
      const { gateway, node } = parseNodePath(path)
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const view = await client.nodes.act(gateway, node, action, shell.signal)
      if (options.json) return printJson(shell, view)
      printLines(shell, `Node ${path} is ${view.status}.`)
    })
}

async function showNode(shell: Shell, node: NodeView, options: Json): Promise<void> {
  if (options.json) return printJson(shell, node)
  const { bytes, percent, when } = await import('../output/format.ts')
  printFacts(shell, [
    ['name', `${node.gateway}/${node.name}`],
    ['status', node.status],
    ['reasons', node.statusReasons.join('; ') || '-'],
    ['enabled', node.enabled ? 'yes' : 'no'],
    ['role', node.isPrimary ? `${node.role}, primary` : node.role],
    ['version', node.version],
    ['credentials', node.credentialStatus],
    ...node.lacks.map(
      ({ store, version, has, reason }) => ['lacks', `${store} version ${version} (has ${has ?? 'none'}): ${reason}`] as const,
    ),
    ['cpu', percent(node.cpuPercent)],
    ['memory', `${bytes(node.availableMemoryBytes)} of ${bytes(node.totalMemoryBytes)} free`],
    ['network', `${bytes(node.networkInBytesPerSecond)}/s in, ${bytes(node.networkOutBytesPerSecond)}/s out`],
    ['jobs', `${node.runningJobs} of ${node.jobLimit} (${node.jobLimitReason})`],
    ['queries', `${node.runningQueries} of ${node.queryLimit} (${node.queryLimitReason})`],
    ['cpu limit', limitText(node.cpuLimitPercent, node.cpuLimitReason, node.averages?.cpuPercent)],
    ['memory limit', limitText(node.memoryLimitPercent, node.memoryLimitReason, node.averages?.memoryPercent)],
    ['weight', String(node.weight)],
    ['labels', labelsText(node.labels) || '-'],
    ['channel', node.channelAddress ?? '-'],
    ['link', node.linkTransport ?? '-'],
    ['joined', when(node.joinedAt)],
    ['last heard of', when(node.lastBeatAt)],
    ...Object.entries(node.settings)
      .filter(([name]) => name !== 'weight' && name !== 'labels')
      .map(([name, value]) => [name, `${value} (set for this node)`] as const),
  ])
}

/** "62.5 % of 80 % (set for this node to 80 %, ...)", or "none (off by default)". */
function limitText(limit: number, reason: string, average: number | undefined): string {
  if (limit === 0) return `none (${reason})`
  return `${average === undefined ? '-' : `${average} %`} of ${limit} % (${reason})`
}

const labelsText = (labels: NodeView['labels']) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
