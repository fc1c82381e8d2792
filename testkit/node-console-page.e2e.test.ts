/** The page of a node's configuration manager in a real Chromium: what it shows, what it does, and who else gets nothing from it. */
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { NodeFacts } from '@postern/protocol/console-api.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Visitor } from './browser.ts'
import { postern } from './cli.ts'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { waitFor } from './wait-for.ts'

/** A stop and a start. */
const SLOW = { timeoutMs: 60_000, everyMs: 200 }
/** A name that somebody else owns, and points at this machine. */
const ELSEWHERE = 'elsewhere.example'

describe.skipIf(browserMissing() !== undefined)('the page of a node', () => {
  let cluster: Cluster
  let folder: TestFolder
  let browser: Browser

  beforeAll(async () => {
    ;[cluster, folder, browser] = await Promise.all([
      Cluster.start(),
      testFolder(),
      Browser.start([`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`]),
    ])
    const lake = join(folder.path, 'lake')
    await mkdir(lake)
    await cluster.filesStore('lake', lake)
    const settings = { host: '127.0.0.1', port: 1, database: 'd', user: 'u' }
    await cluster.store('nowhere', 'postgres', { settings, secrets: { password: 'a-password-nobody-guesses' } })
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const on = (name: string, ...words: readonly string[]) => postern(['node', ...words, '--data', cluster.node(name).data])

  async function facts(name: string): Promise<NodeFacts | undefined> {
    const said = await on(name, 'status', '--json')
    return said.code === 0 ? NodeFacts.parse(said.json()) : undefined
  }

  const addressOf = async (name: string) => new URL((await on(name, 'console', '--json')).json<{ address: string }>().address)

  async function opened(name: string, tab: string): Promise<Visitor> {
    const address = await addressOf(name)
    const visitor = await browser.visitor(address.origin)
    await visitor.page.goto(address.href)
    await visitor.page.getByRole('link', { name: tab }).click()
    return visitor
  }

  test('shows status, diagnostics, logs and what steers the process, in light and dark, wide and on a phone', LOOKING, async () => {
    const address = await addressOf('n1')
    await using visitor = await browser.visitor(address.origin)
    const { page } = visitor
    const wrong: string[] = []
    await page.goto(`${address.origin}/#logs`)
    await page.getByText('postern node console').waitFor()
    wrong.push(...(await visitor.looks('node-signed-out')))
    await page.goto('about:blank')

    await page.goto(address.href)
    await page.getByRole('heading', { name: 'n1' }).waitFor()
    await page.getByText('In sync').waitFor()
    await page.getByText('reached', { exact: true }).waitFor()
    expect(await page.title()).toBe('n1 · Postern node')
    wrong.push(...(await visitor.looks('node-status')))

    await page.getByRole('link', { name: 'Diagnostics' }).click()
    await page.getByRole('button', { name: 'Call all' }).click()
    await page.getByText('passed', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Test all' }).click()
    await page.getByText('failed', { exact: true }).first().waitFor()
    wrong.push(...(await visitor.looks('node-diagnostics')))

    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByText('link is up').first().click()
    await page.getByText('"msg": "link is up"').waitFor()
    wrong.push(...(await visitor.looks('node-logs')))
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export a bundle' }).click()])
    expect(download.suggestedFilename()).toMatch(/^postern-n1-.*\.tar\.gz$/)

    await page.getByRole('link', { name: 'Process' }).click()
    await page.getByRole('button', { name: 'Restart…' }).waitFor()
    wrong.push(...(await visitor.looks('node-process')))
    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  test('its colours are changed by a button, and stay so', async () => {
    await using visitor = await opened('n1', 'Process')
    const { page } = visitor
    await page.getByRole('button', { name: 'Use dark colours' }).click()
    await page.getByRole('button', { name: 'Use light colours' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Use light colours' }).waitFor()

    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark')
    expect(visitor.complaints).toEqual([])
  })

  test('lines of the log come while it is followed, and are found by words', async () => {
    await using visitor = await opened('n1', 'Logs')
    const { page } = visitor
    await page.getByText('link is up').first().waitFor()
    await page.getByLabel('Words').fill('SYNC stores')
    await page.getByText('link is up').waitFor({ state: 'detached' })
    const lines = page.getByText('the stores of the gateway are in sync')
    const before = await lines.count()

    await cluster.filesStore('pond', join(folder.path, 'lake'))
    await waitFor(
      'a line more',
      () => lines.count(),
      (count) => count > before,
    )
  })

  test('restarts the node, and goes on when it runs again', async () => {
    await using visitor = await opened('n1', 'Process')
    const { page } = visitor
    await page.getByRole('button', { name: 'Restart…' }).click()
    expect(await visitor.look('node-restart')).toEqual([])
    await page.getByRole('button', { name: 'Restart it' }).click()

    await page.getByText('It runs again').waitFor({ timeout: SLOW.timeoutMs })
    expect(await page.getByRole('alert').count()).toBe(0)
    await cluster.allOnline()
  })

  test('other sites, and names that point here, read nothing and do nothing, though the page is open in the same browser', async () => {
    const before = await facts('n1')
    await using visitor = await opened('n1', 'Process')
    const { page } = visitor
    await page.getByRole('button', { name: 'Stop…' }).waitFor()
    const { origin, port } = new URL(page.url())
    const other = createServer((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<iframe src="${origin}/"></iframe>`)
    }).listen(0, '127.0.0.1')
    await waitFor('the other site', async () => other.listening)
    const otherPort = (other.address() as AddressInfo).port
    try {
      for (const site of [`http://${ELSEWHERE}:${otherPort}/`, `http://127.0.0.1:${otherPort}/`]) {
        const evil = await page.context().newPage()
        await evil.goto(site)
        expect(await evil.evaluate(attack(origin)), site).toEqual({
          status: 'nothing',
          logs: 'nothing',
          stop: 'nothing',
          blind: 'nothing',
        })
        expect(
          evil.frames().map((frame) => frame.url()),
          site,
        ).not.toContain(`${origin}/`)
        await evil.evaluate(form(`${origin}/api/stop`))
        await evil.waitForURL(`${origin}/api/stop`)
        expect(await evil.textContent('body'), site).toContain('CONSOLE_DENIED')
        await evil.close()
      }
      const rebound = await page.context().newPage()
      const answer = await rebound.goto(`http://${ELSEWHERE}:${port}/`)
      expect(answer?.status()).toBe(404)
      expect(await rebound.evaluate(`fetch('/status').then((answer) => answer.status)`)).toBe(404)
      await rebound.close()
    } finally {
      other.close()
    }
    expect((await facts('n1'))?.startedAt).toBe(before?.startedAt)
    expect((await on('n1', 'logs')).stdout).not.toMatch(/"act":"stop"/)
  })

  test('moves the node to another gateway under another name, after a key that is none was refused', async () => {
    const { key1 } = await cluster.client.gateways.create({ name: 'second' })
    await using visitor = await opened('n2', 'Process')
    const { page } = visitor
    const move = async (key: string) => {
      await page.getByLabel('Authentication key of the other gateway').fill(key)
      await page.getByRole('button', { name: 'Switch gateway…' }).click()
      await page.getByLabel('Type n2 to move it').fill('n2')
      await page.getByRole('button', { name: 'Move', exact: true }).click()
    }
    await page.getByLabel('Name there').fill('n2-moved')
    await move('nonsense')
    await page.getByRole('dialog').getByText('KEY_INVALID').waitFor()
    expect(await visitor.look('node-switch')).toEqual([])
    await page.getByRole('button', { name: 'Keep it' }).click()
    await move(key1)

    await page.getByText('It runs again').waitFor({ timeout: SLOW.timeoutMs })
    await page.getByRole('heading', { name: 'n2-moved' }).waitFor()
    expect(await facts('n2')).toMatchObject({ gateway: 'second', name: 'n2-moved', notice: null })
    expect((await cluster.client.nodes.list('demo')).map(({ name }) => name)).toEqual(['n1'])
  })

  test('stops the node when its name is typed, and says how it is started again', async () => {
    await using visitor = await opened('n1', 'Process')
    const { page } = visitor
    await page.getByRole('button', { name: 'Stop…' }).click()
    const stop = page.getByRole('button', { name: 'Stop', exact: true })
    await page.getByLabel('Type n1 to stop it').fill('n2')
    expect(await stop.isDisabled()).toBe(true)
    await page.getByLabel('Type n1 to stop it').fill('n1')
    expect(await visitor.look('node-stop')).toEqual([])
    await stop.click()

    await page.getByText('It has stopped').waitFor({ timeout: SLOW.timeoutMs })
    expect(await visitor.look('node-stopped')).toEqual([])
    await waitFor(
      'the process has ended',
      async () => cluster.node('n1').process.running,
      (running) => !running,
      SLOW,
    )
    await cluster.node('n1').process.start()
    await page.getByText('It runs again').waitFor({ timeout: SLOW.timeoutMs })
  })
})

/** What a page of another site can try; each as what it got. Runs in the page. */
const attack = (origin: string) => `(async () => {
  const got = (asked) => asked.then(async (answer) => answer.type + ' ' + answer.status, () => 'nothing')
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  return {
    status: await got(fetch('${origin}/status')),
    logs: await got(fetch('${origin}/api/logs', { credentials: 'include' })),
    stop: await got(fetch('${origin}/api/stop', json)),
    blind: await got(fetch('${origin}/api/stop', { method: 'POST', mode: 'no-cors', body: '{}' })),
  }
})()`

const form = (action: string) => `(() => {
  const sent = Object.assign(document.createElement('form'), { action: '${action}', method: 'post', enctype: 'text/plain' })
  sent.append(Object.assign(document.createElement('input'), { name: '{"a":"', value: '"}' }))
  document.body.append(sent)
  sent.submit()
})()`
