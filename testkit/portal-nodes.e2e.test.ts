/** A gateway that is looked at all day, in a real Chromium: fifty live nodes, trouble, advice, and a service that does not answer. */
import { resolve } from 'node:path'
import type { Beat } from '@postern/protocol/node-api.ts'
import { FakeNode } from '@postern/service/testing/fake-node.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Portal } from './browser.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' }
const READER = { name: 'rea', password: 'a door in the south wall', role: 'reader' }
const NODES = 50
/** As many as one does not see at a glance. */
const SOME = 12
const JOIN_AT_ONCE = 10
/** Each makes keys, has a certificate issued and beats from then on: a busy machine takes its time. */
const JOINED_WITHIN_MS = 300_000
/** Each second the figures are drawn anew, once in five the lines: both as often as they are over a day. */
const WATCHED_MS = 10_000
/** What fifty nodes, each second, may cost of one core. */
const MOST_SHARE = 0.1

describe.skipIf(browserMissing() !== undefined)('many nodes in the portal', () => {
  let service: LocalService
  let browser: Browser
  let portal: Portal
  const nodes: FakeNode[] = []
  let wide = ''
  let racks = 0

  const join = async (key: string, name: string, figures: () => Partial<Beat>): Promise<FakeNode> => {
    const node = await FakeNode.join(service.url, key, name)
    nodes.push(node)
    node.figures = figures
    await node.up()
    return node
  }
  /** Up to so many of them. */
  const joinRacks = async (count: number) => {
    while (racks < count) {
      const more = Math.min(JOIN_AT_ONCE, count - racks)
      await Promise.all(Array.from({ length: more }, (_, index) => join(wide, rack(racks + index + 1), anyFigures)))
      racks += more
    }
  }
  const make = async (name: string): Promise<string> =>
    (await service.api<{ key1: string }>('POST', '/v1/gateways', { name, settings: { policy: 'least-loaded' } })).key1

  beforeAll(async () => {
    service = await LocalService.start({ pages: PAGES })
    await service.api('POST', '/v1/people', PERSON)
    await service.api('POST', '/v1/people', READER)
    wide = await make('wide')
    await joinRacks(SOME)
    const hot = await make('hot')
    for (const name of ['berlin', 'munich']) await join(hot, name, () => ({ cpuPercent: 95, availableMemoryBytes: 2e8 }))
    browser = await Browser.start()
    portal = browser.portal(service.url, PERSON)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    for (const node of nodes) await node.die()
    await service?.[Symbol.asyncDispose]()
  })

  const names = async (page: Page): Promise<readonly string[]> => {
    const links = page.getByRole('table', { name: 'Nodes' }).getByRole('link', { name: /^frankfurt-rack-/ })
    return links.allTextContents()
  }

  test('nodes are found and put in order, and the address brings the same again', async () => {
    await using visitor = await portal.visit('/gateways/wide')
    const { page } = visitor
    await page.getByRole('textbox', { name: 'Find nodes' }).fill('rack-1')
    await page.getByText('3 of 12 nodes', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Name', exact: true }).click()
    await page.getByRole('columnheader', { name: 'Name', exact: true }).and(page.locator('[aria-sort=ascending]')).waitFor()
    await page.getByRole('button', { name: /^Name/ }).click()
    await page.getByRole('columnheader', { name: 'Name', exact: true }).and(page.locator('[aria-sort=descending]')).waitFor()
    const shown = await names(page)
    expect([shown.length, shown.at(0), shown.at(-1)]).toEqual([3, 'frankfurt-rack-12', 'frankfurt-rack-10'])
    const { search } = new URL(page.url())
    expect(Object.fromEntries(new URLSearchParams(search))).toEqual({ find: 'rack-1', sort: '-name' })
    await page.reload()
    await page.getByText('3 of 12 nodes', { exact: true }).waitFor()

    expect(await names(page)).toEqual(shown)
    expect(visitor.complaints).toEqual([])
  })

  test('advice comes from the figures, and trouble says why, in light and dark, wide and on a phone', LOOKING, async () => {
    await using visitor = await portal.visit('/gateways/hot')
    const { page } = visitor
    const wrong: string[] = []
    await page.getByText('Memory is low and CPU is high on every node (95 % CPU').waitFor()
    await page.getByRole('img', { name: 'CPU of munich' }).locator('polyline').waitFor({ state: 'attached' })
    wrong.push(...(await visitor.looks('gateway-advice')))
    const ill = nodes.find(({ name }) => name === rack(8))
    ill?.unlink()
    try {
      await page.goto('/gateways/wide')
      await page.getByText('Not every node is online').waitFor()
      await page.getByRole('link', { name: 'Show these nodes only' }).click()
      await page.getByText('1 of 12 nodes', { exact: true }).waitFor()
      await page.getByText('no link to the service: live queries cannot reach it', { exact: true }).waitFor()
      wrong.push(...(await visitor.looks('gateway-trouble')))
      await page.goto(`/gateways/wide/nodes/${ill?.name}`)
      await page.getByText('Why it is limited').waitFor()
      wrong.push(...(await visitor.looks('node-limited')))
      await page.goto('/gateways')
      await page.getByText(/^frankfurt-rack-08 is limited/).waitFor()
      wrong.push(...(await visitor.looks('gateways-limited')))
    } finally {
      await ill?.link()
    }

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  test('while the service is out of reach the page says so and from when its figures are, and goes on by itself', async () => {
    await using visitor = await portal.visit('/gateways/hot')
    const { page } = visitor
    await page.getByRole('link', { name: 'munich' }).waitFor()
    await page.context().setOffline(true)
    await page.getByRole('alert').getByText('What stands below was so at').waitFor()
    expect(await visitor.look('gateway-unreachable')).toEqual([])
    await page.context().setOffline(false)

    await page.getByRole('alert').waitFor({ state: 'detached' })
  })

  test('who may only look sees the same and is offered nothing that would be refused', async () => {
    await using visitor = await portal.visit('/gateways/hot', READER)
    const { page } = visitor
    await page.getByRole('link', { name: 'munich' }).waitFor()
    expect(await page.getByRole('button', { name: /Actions|Concurrent jobs of/ }).count()).toBe(0)
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByText('How a node is chosen for a query').waitFor()
    expect(await page.getByRole('textbox', { name: 'HTTP proxy through which nodes dial out' }).isDisabled()).toBe(true)
    expect(await visitor.look('settings-of-a-reader')).toEqual([])

    expect(visitor.complaints).toEqual([])
  })

  test(
    'fifty nodes fit a wide screen and a phone, and cost less than a tenth of a core on either',
    async () => {
      await joinRacks(NODES)
      await using visitor = await portal.visit('/gateways/wide')
      const { page } = visitor
      for (const width of [1280, 390] as const) {
        await visitor.become({ scheme: 'light', width })
        await page.getByRole('link', { name: 'frankfurt-rack-50' }).waitFor()
        expect(await visitor.overhang()).toBe(0)
        const share = await shareOfCore(page, WATCHED_MS)
        console.info(
          `portal: ${NODES} nodes at ${width} pixels take ${(100 * share.page).toFixed(1)} % of a core in the page, ${(100 * share.browser).toFixed(1)} % in the whole browser`,
        )
        await visitor.shot('fifty-nodes')
        expect(share.page).toBeLessThan(MOST_SHARE)
      }

      expect(visitor.complaints).toEqual([])
    },
    JOINED_WITHIN_MS,
  )
})

const rack = (index: number): string => `frankfurt-rack-${String(index).padStart(2, '0')}`

/** Of each beat anew: what does not change costs a page nothing. */
const anyFigures = () => ({
  cpuPercent: Math.round(Math.random() * 1_000) / 10,
  availableMemoryBytes: Math.round(1e9 + Math.random() * 2e9),
  networkInBytesPerSecond: Math.round(Math.random() * 5e7),
  networkOutBytesPerSecond: Math.round(Math.random() * 5e5),
  runningQueries: Math.floor(Math.random() * 64),
})

/** What the page, and what all processes of its browser, take of one core while it is only looked at. */
async function shareOfCore(page: Page, ms: number): Promise<{ readonly page: number; readonly browser: number }> {
  const session = await page.context().browser()?.newBrowserCDPSession()
  if (!session) throw new Error('The browser has no session.')
  const spent = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    const sum = (kind?: string) =>
      processInfo.reduce((seconds, one) => seconds + (kind === undefined || one.type === kind ? one.cpuTime : 0), 0)
    return { page: sum('renderer'), browser: sum() }
  }
  const before = await spent()
  const from = performance.now()
  await page.waitForTimeout(ms)
  const after = await spent()
  const seconds = (performance.now() - from) / 1_000
  await session.detach()
  return { page: (after.page - before.page) / seconds, browser: (after.browser - before.browser) / seconds }
}
