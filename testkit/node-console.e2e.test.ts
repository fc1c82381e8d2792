/** The configuration manager of a running node, by the command line. Its page: node-console-page.e2e.test.ts. */
import { execFileSync } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeFacts } from '@postern/protocol/console-api.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CliResult } from './cli.ts'
import { postern } from './cli.ts'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import type { TestNode } from './node.ts'
import { found, soughtBytes, soughtText } from './secret-search.ts'
import { waitFor } from './wait-for.ts'

/** A stop, a start and a command line each time that it is looked. */
const SLOW = { timeoutMs: 60_000, everyMs: 200 }
const PASSWORD = 'a-password-nobody-guesses'
let cluster: Cluster
let folder: TestFolder

beforeAll(async () => {
  ;[cluster, folder] = await Promise.all([Cluster.start(), testFolder()])
  const lake = join(folder.path, 'lake')
  await mkdir(lake)
  const words = ['--gateway', 'demo', '--kind']
  const nowhere = ['--set', 'host=127.0.0.1', '--set', 'port=1', '--set', 'database=d', '--set', 'user=u', '--secret', 'password=-']
  for (const [args, input] of [
    [['store', 'create', 'lake', ...words, 'files', '--set', `path=${lake}`], ''],
    [['store', 'create', 'nowhere', ...words, 'postgres', ...nowhere], `${PASSWORD}\n`],
  ] as const)
    expect((await cluster.cli([...args], { input })).code).toBe(0)
})
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

const node = (name: string): TestNode => cluster.node(name)
const on = ({ data }: TestNode, ...words: readonly string[]): Promise<CliResult> => postern(['node', ...words, '--data', data])

async function facts(of: TestNode): Promise<NodeFacts | undefined> {
  const said = await on(of, 'status', '--json')
  return said.code === 0 ? NodeFacts.parse(said.json()) : undefined
}

test('node status says for people and for programs what the node knows of itself', async () => {
  const seen = await waitFor(
    'both stores',
    () => facts(node('n1')),
    (now) => now?.storesBehind === null && (now.storesVersion ?? 0) >= 2 && now.gatewayKeyFingerprint !== null,
  )
  const { stdout, code } = await on(node('n1'), 'status')

  expect(seen).toMatchObject({ name: 'n1', gateway: 'demo', process: { pid: node('n1').process.pid }, notice: null })
  expect(code).toBe(0)
  for (const words of ['demo/n1', cluster.service.url, seen?.gatewayKeyFingerprint ?? '-', 'certificate', 'peer n2', 'none in use'])
    expect(stdout).toContain(words)
})

test('node check tries the service, the other nodes, and every store from this node', async () => {
  const { stdout, code } = await on(node('n1'), 'check')

  expect(code).toBe(1)
  expect(stdout).toMatch(/service +PASS/)
  expect(stdout).toMatch(/channel n2 +PASS/)
  expect(stdout).toMatch(/store lake +PASS/)
  expect(stdout).toMatch(/store nowhere +FAIL/)
})

test('logs are read, and exported without any secret of the node or of a store', async () => {
  const { data } = node('n1')
  const file = join(folder.path, 'bundle.tar.gz')
  const read = await on(node('n1'), 'logs')
  expect(read.stdout).toContain('"msg":"link is up"')

  expect((await on(node('n1'), 'logs', '--export', file)).code).toBe(0)
  expect((await on(node('n1'), 'logs', '--export', file)).code).toBe(2)

  const names = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n')
  expect(names).toEqual(['status', 'machine', 'stores', 'log'].map((name) => `postern-n1/${name}${name === 'log' ? '.ndjson' : '.json'}`))
  const own: { identity: string; secret: string; channel: { privateKey: string } } = JSON.parse(
    await readFile(join(data, 'node.json'), 'utf8'),
  )
  const { secret }: { secret: string } = JSON.parse(await readFile(join(data, 'console.json'), 'utf8'))
  const secrets = [
    soughtText('password of a store', PASSWORD),
    soughtText('authentication key', cluster.key),
    soughtBytes('identity', own.identity),
    soughtBytes('vault secret', own.secret),
    soughtText('channel key', own.channel.privateKey.split('\n')[1] ?? ''),
    soughtBytes('console secret', secret),
    soughtText('token of the service', cluster.service.token),
  ]
  const text = execFileSync('tar', ['-xzOf', file])
  expect(text.toString()).toContain('nowhere')
  expect(found(text, secrets)).toEqual([])
})

test('a restart by the console keeps the process and its id, and runs it anew', async () => {
  const before = await facts(node('n2'))
  const { pid } = node('n2').process

  expect((await on(node('n2'), 'restart')).code).toBe(0)

  const after = await waitFor(
    'it runs again',
    () => facts(node('n2')),
    (now) => now !== undefined && now.startedAt !== before?.startedAt,
    SLOW,
  )
  expect(after?.process.pid).toBe(pid)
  expect(node('n2').process.running).toBe(true)
  await cluster.allOnline()
})

test('logs are followed over a restart, each line once, until Ctrl-C', async () => {
  const over = new AbortController()
  let heard = ''
  const following = postern(['node', 'logs', '--follow', '--data', node('n2').data], {
    signal: over.signal,
    heard: (text) => {
      heard += text
    },
  })
  const links = () => heard.split('"msg":"link is up"').length - 1
  const before = await waitFor('what was said before', links)

  expect((await on(node('n2'), 'restart')).code).toBe(0)
  await waitFor('what is said by the new start', links, (count) => count > before, SLOW)
  over.abort()
  const { code, stdout } = await following

  expect(code).toBe(130)
  const lines = stdout.trim().split('\n')
  expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([])
  await cluster.allOnline()
})

test('a running node moves to another gateway, and stays where it was when it cannot', async () => {
  const { key1 } = await cluster.client.gateways.create({ name: 'second' })
  expect((await on(node('n2'), 'switch', '--url', cluster.service.url, '--key', 'nonsense')).code).toBe(4)
  expect((await on(node('n2'), 'switch', '--url', 'http://127.0.0.1:1', '--key', key1)).code).toBe(0)
  const stayed = await waitFor(
    'it runs where it was',
    () => facts(node('n2')),
    (now) => now?.notice?.includes('127.0.0.1:1') === true,
    SLOW,
  )
  expect(stayed?.gateway).toBe('demo')

  expect((await on(node('n2'), 'switch', '--url', cluster.service.url, '--key', key1)).code).toBe(0)
  await waitFor(
    'it is in the other gateway',
    () => facts(node('n2')),
    (now) => now?.gateway === 'second',
    SLOW,
  )
  expect((await cluster.client.nodes.list('demo')).map(({ name }) => name)).toEqual(['n1'])
})

test('a stop by the console ends the process as SIGTERM does, and then status says that nothing runs', async () => {
  expect((await on(node('n1'), 'stop')).code).toBe(0)
  await waitFor(
    'the process has ended',
    async () => node('n1').process.running,
    (running) => !running,
  )

  expect(await node('n1').process.kill()).toBe(0)
  const asked = await on(node('n1'), 'status')
  expect(asked.code).toBe(5)
  expect(asked.stderr).toContain('postern node start')
})
