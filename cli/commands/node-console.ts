/** `postern node status`, and what else is asked of the node that runs on this machine (its configuration manager). */

import { writeFile } from 'node:fs/promises'
import { Asked, ConsoleStores, LogLines, NodeFacts, PeerTests, StoreTested, type SwitchRequest } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Command } from 'commander'
import { Exit } from '../exit.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Flags {
  readonly data: string
  readonly json?: boolean
}

interface LogFlags extends Flags {
  readonly follow?: boolean
  readonly export?: string
}

const FOLLOW_MS = 500

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
  add('check', 'call every other node over the channel, and try every store from this node').action((flags: Flags) => check(flags, shell))
  add('logs', 'the newest log lines of the node on this machine')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--export <file>', 'write a bundle (.tar.gz: logs, status, stores; without secrets) for whoever is to help')
    .action((flags: LogFlags) => logs(flags, shell))
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

async function open(data: string, shell: Shell) {
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

async function check({ data, json }: Flags, shell: Shell): Promise<void> {
  const node = await open(data, shell)
  const { peers } = await node.ask({ path: CONSOLE_PATHS.peersTest, method: 'POST', answer: PeerTests })
  const { stores, more } = await node.ask({ path: CONSOLE_PATHS.stores, answer: ConsoleStores })
  const tested: { readonly what: string; readonly ok: boolean; readonly ms: number; readonly detail: string }[] = peers.map((peer) => ({
    what: `channel ${peer.name}`,
    ok: peer.fault === null,
    ms: peer.durationMs,
    detail: peer.fault ? `${peer.fault.message} ${peer.fault.remedy}` : (peer.address ?? ''),
  }))
  for (const { id, name } of stores) {
    const {
      ok,
      durationMs: ms,
      server,
      fault,
    } = await node.ask({
      ...{ path: CONSOLE_PATHS.storesTest, method: 'POST' as const, body: { id } },
      answer: StoreTested,
    })
    tested.push({ what: `store ${name}`, ok, ms, detail: fault ? `${fault.message} ${fault.remedy}` : (server ?? '') })
  }
  if (json) printJson(shell, tested)
  else if (tested.length === 0) note(shell, 'The gateway has no other nodes and no stores yet.')
  else
    await printTable(
      shell,
      ['CHECK', 'RESULT', 'MS', 'DETAIL'],
      tested.map(({ what, ok, ms, detail }) => [what, ok ? 'PASS' : 'FAIL', String(ms), detail]),
    )
  if (more) note(shell, 'There are more stores than these: try one with `postern store test`.')
  if (tested.some(({ ok }) => !ok)) throw new Exit(1)
}

async function logs({ data, follow, export: file }: LogFlags, shell: Shell): Promise<void> {
  const node = await open(data, shell)
  if (file !== undefined) return exportBundle(await node.download(CONSOLE_PATHS.bundle), file, shell)
  let after = 0
  for (;;) {
    const page = await node.ask({ path: `${CONSOLE_PATHS.logs}?after=${after}`, answer: LogLines })
    if (page.lines.length > 0) printLines(shell, ...page.lines.map(({ text }) => text))
    after = page.last
    if (!follow) return
    await shell.clock.sleep(FOLLOW_MS, shell.signal)
  }
}

/** For its owner only, and never over what is there. */
async function exportBundle(bytes: Buffer, file: string, shell: Shell): Promise<void> {
  await writeFile(file, bytes, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
    throw new Fault('CONFIG_INVALID', { at: `${file} cannot be written: it is there already, or its folder is not.`, cause })
  })
  printLines(shell, `Wrote ${file} (${bytes.length} bytes). It holds no secrets; look it over before you send it: tar -tzf ${file}`)
}

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
