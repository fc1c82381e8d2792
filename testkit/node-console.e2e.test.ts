/** The configuration manager of a running node: by the command line, and its page in a real Chromium. */
import { execFileSync } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeFacts } from '@postern/protocol/console-api.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Scheme, type Width } from './browser.ts'
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

test('node check calls the other nodes and tries every store from this node', async () => {
  const { stdout, code } = await on(node('n1'), 'check')

  expect(code).toBe(1)
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

describe.skipIf(browserMissing() !== undefined)('the page', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await Browser.start()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  const LOOKS: readonly (readonly [Scheme, Width])[] = [
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ]
  test.each(LOOKS)('shows status, diagnostics, logs and what steers the process (%s, %i)', async (scheme, width) => {
    const { address } = (await on(node('n1'), 'console', '--json')).json<{ address: string }>()
    const { origin } = new URL(address)
    await using visitor = await browser.visitor(origin, { scheme, width })
    const { page } = visitor
    await page.goto(`${origin}/#logs`)
    await page.getByText('postern node console').waitFor()
    await visitor.shot('node-signed-out')
    await page.goto('about:blank')

    await page.goto(address)
    await page.getByRole('heading', { name: 'n1' }).waitFor()
    await page.getByText('In sync').waitFor()
    await visitor.shot('node-status')
    expect(await visitor.barriers()).toEqual([])

    await page.getByRole('link', { name: 'Diagnostics' }).click()
    await page.getByRole('button', { name: 'Call every node' }).click()
    await page.getByText('passed', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Test all' }).click()
    await page.getByText('failed', { exact: true }).first().waitFor()
    await visitor.shot('node-diagnostics')
    expect(await visitor.barriers()).toEqual([])

    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByText('link is up').first().click()
    await page.getByText('"msg": "link is up"').waitFor()
    await visitor.shot('node-logs')
    expect(await visitor.barriers()).toEqual([])
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export a bundle' }).click()])
    expect(download.suggestedFilename()).toMatch(/^postern-n1-.*\.tar\.gz$/)

    await page.getByRole('link', { name: 'Process' }).click()
    await page.getByRole('button', { name: 'Restart', exact: true }).waitFor()
    await visitor.shot('node-process')
    expect(await visitor.barriers()).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('restarts the node, and goes on when it runs again', async () => {
    const { address } = (await on(node('n1'), 'console', '--json')).json<{ address: string }>()
    await using visitor = await browser.visitor(new URL(address).origin)
    const { page } = visitor
    await page.goto(address)
    await page.getByRole('link', { name: 'Process' }).click()
    await page.getByRole('button', { name: 'Restart', exact: true }).click()
    await page.getByRole('button', { name: 'Restart it' }).click()

    await page.getByText('It runs again').waitFor({ timeout: 60_000 })
  })
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
