/** `postern node status`, and what else is asked of the node that runs on this machine (its configuration manager). */

import {
  Asked,
  ConsoleStores,
  NodeFacts,
  type PeerTest,
  PeerTests,
  StoreTested,
  type SwitchRequest,
} from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import type { Command } from 'commander'
import type { NodeConsole } from '../api/node-console.ts'
import { Exit } from '../exit.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import type { LogFlags } from './node-logs.ts'

interface Flags {
  readonly data: string
  readonly json?: boolean
}

export function consoleCommands(group: Command, shell: Shell, defaultData: string): void {
  const add = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option('--data <dir>', "the node's data folder", defaultData)
      .option('--json', 'machine-readable')
  add('status', 'what the node on this machine says of itself: connections, keys, certificate, credentials, peers').action((flags: Flags) =>
    showStatus(flags, shell),
  )
  add('console', 'print the address of the node’s page on this machine, with a code that opens it once').action((flags: Flags) =>
    showAddress(flags, shell),
  )
  add('check', 'try what this node needs: the service, every other node over the channel, every store').action((flags: Flags) =>
    check(flags, shell),
  )
  add('logs', 'the newest log lines of the node on this machine')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--export <file>', 'write a bundle (.tar.gz: logs, status, stores; without secrets) for whoever is to help')
    .action(async (flags: LogFlags) => (await import('./node-logs.ts')).logs(flags, shell))
  add('restart', 'stop the node as SIGTERM does, and start it again in the same process, with what is installed by now').action(
    (flags: Flags) => wish('restart', flags, shell),
  )
  add('stop', 'stop the node as SIGTERM does: it finishes what it has for 10 s').action((flags: Flags) => wish('stop', flags, shell))
  add('switch', 'move the running node to another gateway: what `node join --move` does, with the stop before and the start after')
    .requiredOption('--url <url>', 'where the service is, as this machine reaches it')
    .requiredOption('--key <key>', "one of the other gateway's authentication keys")
    .option('--name <name>', 'its name there (default: the one that it has)')
    .action((flags: Flags & SwitchRequest) => switchGateway(flags, shell))
}

async function open(data: string, shell: Shell): Promise<NodeConsole> {
  const { NodeConsole } = await import('../api/node-console.ts')
  return NodeConsole.of(data, shell)
}

async function showStatus({ data, json }: Flags, shell: Shell): Promise<void> {
  const facts = await (await open(data, shell)).ask({ path: CONSOLE_PATHS.status, answer: NodeFacts })
  if (json) return printJson(shell, facts)
  const { nodeFactLines } = await import('../output/node-facts.ts')
  printFacts(shell, nodeFactLines(facts))
}

async function showAddress({ data, json }: Flags, shell: Shell): Promise<void> {
  const node = await open(data, shell)
  await node.ask({ path: CONSOLE_PATHS.status, answer: NodeFacts })
  if (json) return printJson(shell, { address: node.address })
  printLines(shell, node.address)
  note(shell, 'Open it on this machine within two minutes. From elsewhere: ssh -L PORT:127.0.0.1:PORT to this machine first.')
}

interface Tested {
  readonly what: string
  readonly ok: boolean
  readonly ms: number | null
  readonly detail: string
}

async function check({ data, json }: Flags, shell: Shell): Promise<void> {
  const node = await open(data, shell)
  const facts = await node.ask({ path: CONSOLE_PATHS.status, answer: NodeFacts })
  const { peers } = await node.ask({ path: CONSOLE_PATHS.peersTest, method: 'POST', answer: PeerTests })
  const { stores, more } = await node.ask({ path: CONSOLE_PATHS.stores, answer: ConsoleStores })
  const tested: Tested[] = [serviceTested(facts), ...peers.map(peerTested)]
  // One after the other: a machine with a hundred stores must not open a hundred connections because somebody looks.
  for (const { id, name } of stores) {
    const asked = { path: CONSOLE_PATHS.storesTest, method: 'POST', body: { id } } as const
    tested.push(storeTested(name, await node.ask({ ...asked, answer: StoreTested })))
  }
  if (json) printJson(shell, tested)
  else
    await printTable(
      shell,
      ['CHECK', 'RESULT', 'MS', 'DETAIL'],
      tested.map(({ what, ok, ms, detail }) => [what, ok ? 'PASS' : 'FAIL', String(ms ?? ''), detail]),
    )
  if (more) note(shell, 'There are more stores than these: try one with `postern store test`.')
  if (tested.some(({ ok }) => !ok)) throw new Exit(1)
}

/** Asked each second anyway. */
function serviceTested({ service: { url, fault, remedy, heardSecondsAgo }, link }: NodeFacts): Tested {
  const ok = fault === null && link.state === 'up'
  const why = fault ?? link.reason ?? `the link is ${link.state}`
  const detail = ok ? `${url}, answered ${heardSecondsAgo} s ago` : `${url}: ${why} ${remedy ?? ''}`.trim()
  return { what: 'service', ok, ms: null, detail }
}

const peerTested = ({ name, address, durationMs, fault }: PeerTest): Tested => ({
  what: `channel ${name}`,
  ok: fault === null,
  ms: durationMs,
  detail: fault ? `${fault.message} ${fault.remedy}` : (address ?? ''),
})

const storeTested = (name: string, { ok, durationMs, server, fault }: StoreTested): Tested => ({
  what: `store ${name}`,
  ok,
  ms: durationMs,
  detail: fault ? `${fault.message} ${fault.remedy}` : (server ?? ''),
})

const WISHES = { stop: CONSOLE_PATHS.stop, restart: CONSOLE_PATHS.restart } as const

async function wish(act: keyof typeof WISHES, { data, json }: Flags, shell: Shell): Promise<void> {
  const asked = await (await open(data, shell)).ask({ path: WISHES[act], method: 'POST', answer: Asked })
  if (json) return printJson(shell, asked)
  printLines(shell, act === 'stop' ? 'The node finishes what it has, for 10 s at most, and stops.' : 'The node restarts.')
}

async function switchGateway({ data, json, url, key, name }: Flags & SwitchRequest, shell: Shell): Promise<void> {
  const body = { url, key, ...(name === undefined ? {} : { name }) }
  const asked = await (await open(data, shell)).ask({ path: CONSOLE_PATHS.switchGateway, method: 'POST', body, answer: Asked })
  if (json) return printJson(shell, asked)
  printLines(shell, 'The node stops, joins the other gateway and starts again. See how it went: postern node status')
}
