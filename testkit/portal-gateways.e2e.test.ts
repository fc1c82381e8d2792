/** The pages of gateways and nodes in a real Chromium: making one, settings, keys, and one node with its hour. */
import { resolve } from 'node:path'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { FakeNode } from '@postern/service/testing/fake-node.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Portal } from './browser.ts'
import { waitFor } from './wait-for.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' }

describe.skipIf(browserMissing() !== undefined)('gateways and nodes in the portal', () => {
  let service: LocalService
  let browser: Browser
  let portal: Portal
  let key = ''
  const nodes: FakeNode[] = []

  const join = async (gateway: string, name: string) => {
    const node = await FakeNode.join(service.url, gateway, name)
    nodes.push(node)
    node.figures = figures
    await node.up()
  }

  beforeAll(async () => {
    service = await LocalService.start({ pages: PAGES })
    await service.api('POST', '/v1/people', PERSON)
    const demo = await service.api<{ key1: string }>('POST', '/v1/gateways', { name: 'demo' })
    key = demo.key1
    await join(key, 'berlin')
    await join(key, 'munich')
    browser = await Browser.start()
    portal = browser.portal(service.url, PERSON)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    for (const node of nodes) await node.die()
    await service?.[Symbol.asyncDispose]()
  })

  const gateway = (name: string) => service.api<GatewayView>('GET', `/v1/gateways/${name}`)
  const node = (name: string) => service.api<NodeView>('GET', `/v1/gateways/demo/nodes/${name}`)

  test('in light and dark, wide and on a phone settings, keys and a node show what they should and shut nobody out', LOOKING, async () => {
    await using visitor = await portal.visit('/gateways/demo')
    const { page } = visitor
    const wrong: string[] = []
    const look = async (name: string, sign: string) => {
      await page.getByText(sign, { exact: true }).first().waitFor()
      wrong.push(...(await visitor.looks(name)))
    }
    await look('gateway-nodes', 'munich')
    await page.getByRole('link', { name: 'Settings' }).click()
    await look('gateway-settings', 'How a node is chosen for a query')
    await page.getByRole('link', { name: 'Keys' }).click()
    await look('gateway-keys', 'Recovery key')
    await page.goto('/gateways/demo/nodes/berlin')
    await page.getByRole('img', { name: /^CPU: CPU between/ }).waitFor()
    await look('node', 'The last hour')
    await page.getByRole('link', { name: 'Settings' }).click()
    await look('node-settings', 'Marks that stores may require (labels=site=berlin,disk=ssd)')

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  test('without a mouse: past the navigation, to a limit and back, and through the menu of a node', async () => {
    await using visitor = await portal.visit('/gateways/demo')
    const { page } = visitor
    const press = (key: string) => page.keyboard.press(key)
    const limit = page.getByRole('button', { name: /Concurrent jobs of munich/ })
    await limit.waitFor()
    await page.evaluate('document.activeElement?.blur()')
    await press('Tab')
    expect(await focused(page)).toBe('Skip to the page')
    await press('Enter')
    for (let tabs = 0; tabs < 40 && !/^Concurrent jobs of munich/.test(await focused(page)); tabs += 1) await press('Tab')
    await press('Enter')
    await page.getByLabel('Copy tasks at a time').waitFor()
    await press('Escape')
    await page.getByLabel('Copy tasks at a time').waitFor({ state: 'detached' })
    expect(await focused(page)).toMatch(/^Concurrent jobs of munich/)
    await press('Tab')
    await press('Enter')
    await page.getByRole('menuitem', { name: 'Rename…' }).waitFor()
    for (const _ of ['drain', 'disable', 'rename']) await press('ArrowDown')
    await press('Enter')
    await page.getByLabel('New name').waitFor()
    await press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })

    expect(visitor.complaints).toEqual([])
  })

  test('a gateway is made, and tells who joins it while one looks', async () => {
    await using visitor = await portal.visit('/gateways')
    const { page } = visitor
    await page.getByRole('button', { name: 'New gateway' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('north')
    await page.getByRole('button', { name: 'Make the gateway' }).click()
    const first = await page.getByRole('dialog').getByText(/^pgk_/).first().textContent()
    expect(await visitor.look('new-gateway')).toEqual([])
    await page.getByRole('link', { name: 'Go to the gateway' }).click()
    await page.getByText('No node has joined yet.').waitFor()
    expect(await visitor.look('gateway-empty')).toEqual([])
    await page.getByRole('button', { name: 'Add a node' }).click()
    await page.getByText('Waits for a machine to join').waitFor()
    await page.getByRole('textbox', { name: 'Authentication key' }).fill(first ?? '')
    expect(await page.getByRole('region', { name: 'In one line' }).textContent()).toContain(`--url ${service.url} --key ${first} && `)
    await join(first ?? '', 'bergen')
    await page.getByText('bergen has joined').waitFor()

    expect(visitor.complaints).toEqual([])
  })

  test('a setting is changed, what cannot be is told at once, and what was set is taken back', async () => {
    await using visitor = await portal.visit('/gateways/demo/settings')
    const { page } = visitor
    const cpu = page.getByRole('textbox', { name: 'CPU limit of a node in percent; 0 = off' })
    await cpu.fill('170')
    await page.getByText('A whole number from 0 to 100.').waitFor()
    await cpu.fill('85')
    await page.getByText('1 change', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nothing changed').waitFor()
    expect((await gateway('demo')).settings.cpuPercent).toBe(85)

    await page.getByRole('button', { name: 'Take back: CPU limit of a node in percent; 0 = off' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nothing changed').waitFor()
    expect((await gateway('demo')).settings.cpuPercent).toBe(0)
  })

  test('a node has a setting of its own over the gateway, and goes back to the gateway', async () => {
    await using visitor = await portal.visit('/gateways/demo/nodes/munich/settings')
    const { page } = visitor
    await page.getByRole('textbox', { name: /^Marks that stores may require/ }).fill('site=munich, disk=ssd')
    await page.getByRole('checkbox', { name: 'Copy tasks that one node runs at a time: auto' }).uncheck()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nothing changed').waitFor()
    expect((await node('munich')).settings).toEqual({ labels: { site: 'munich', disk: 'ssd' }, jobConcurrency: 4 })

    await page.getByRole('button', { name: 'Take back: Copy tasks that one node runs at a time' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nothing changed').waitFor()
    expect((await node('munich')).settings).toEqual({ labels: { site: 'munich', disk: 'ssd' } })
  })

  test('a key is replaced by who types the name of the gateway; the new one joins, the old one joins nobody', async () => {
    await using visitor = await portal.visit('/gateways/demo/keys')
    const { page } = visitor
    await page.getByRole('button', { name: 'Replace…' }).first().click()
    await page.getByLabel('Type demo to replace it').fill('demo')
    await page.getByRole('button', { name: 'Replace', exact: true }).click()
    const made = await page.getByRole('dialog').getByText(/^pgk_/).first().textContent()

    await expect(FakeNode.join(service.url, key, 'late')).rejects.toThrow()
    await join(made ?? '', 'late')
    await waitFor('the new key has joined a node', async () => (await gateway('demo')).nodes.length === 3)
  })

  test('a node is renamed on its page, and the page goes along', async () => {
    await using visitor = await portal.visit('/gateways/demo/nodes/berlin')
    const { page } = visitor
    await page.getByRole('button', { name: 'Actions' }).click()
    await page.getByRole('menuitem', { name: 'Rename…' }).click()
    await page.getByLabel('New name').fill('hamburg')
    await page.getByRole('button', { name: 'Rename', exact: true }).click()

    await page.getByRole('heading', { name: 'hamburg' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/gateways/demo/nodes/hamburg')
    expect((await node('hamburg')).name).toBe('hamburg')
    expect(visitor.complaints).toEqual([])
  })
})

/** Of each beat anew: what does not change costs a page nothing. */
const figures = () => ({
  cpuPercent: Math.round(Math.random() * 1_000) / 10,
  availableMemoryBytes: Math.round(1e9 + Math.random() * 2e9),
  networkInBytesPerSecond: Math.round(Math.random() * 5e7),
  networkOutBytesPerSecond: Math.round(Math.random() * 5e5),
  runningQueries: Math.floor(Math.random() * 64),
})

/** What a screen reader would say first of where the keyboard is. */
const focused = (page: Page): Promise<string> =>
  page.evaluate('String(document.activeElement?.ariaLabel ?? document.activeElement?.textContent)')
