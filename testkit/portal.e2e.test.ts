/** The portal in a real Chromium: signing in, finding one's way, and what a person does to nodes; on a wide screen and on a phone, in light and dark. */
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Page, type Portal } from './browser.ts'
import { Cluster } from './cluster.ts'
import { waitFor } from './wait-for.ts'

const PERSON = { name: 'ada', password: 'a gate in the north wall' }

describe.skipIf(browserMissing() !== undefined)('the portal', () => {
  let cluster: Cluster
  let browser: Browser
  let portal: Portal

  beforeAll(async () => {
    ;[cluster, browser] = await Promise.all([Cluster.start(), Browser.start()])
    portal = browser.portal(cluster.service.url, PERSON)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  test('the first to come makes the first administrator with the token of the service, and is in', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/')
    await page.getByLabel("Administrator's token").waitFor()
    expect(await visitor.looks('first-person')).toEqual([])
    await page.getByLabel("Administrator's token").fill(cluster.service.token)
    await page.getByLabel('Your name').fill(PERSON.name)
    await page.getByRole('textbox', { name: 'Password' }).last().fill(PERSON.password)
    await page.getByRole('button', { name: 'Make it and sign in' }).click()

    await page.getByRole('heading', { name: 'Gateways' }).waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test('a wrong password is refused in words, and the page that was asked for comes after the right one', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/gateways/demo')
    await page.getByRole('textbox', { name: 'Name' }).fill(PERSON.name)
    await page.getByRole('textbox', { name: 'Password' }).fill('not this one at all')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('alert').waitFor()
    expect(await visitor.look('sign-in-refused')).toEqual([])
    await visitor.signIn(PERSON)

    await page.getByRole('heading', { name: 'demo', exact: true }).waitFor()
    expect(await page.title()).toBe('demo · Gateways · Postern')
    expect(visitor.complaints).toEqual([])
  })

  test(
    'in light and dark, wide and on a phone every page shows what it should, shuts nobody out, and asks nobody else',
    LOOKING,
    async () => {
      await using visitor = await browser.visitor(cluster.service.url)
      const { page } = visitor
      const wrong: string[] = []
      await page.goto('/')
      await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
      wrong.push(...(await visitor.looks('sign-in')))
      await visitor.signIn(PERSON)
      await lineOf(page, 'CPU of demo').waitFor({ state: 'attached' })
      wrong.push(...(await visitor.looks('gateways')))
      await page.getByRole('link', { name: 'demo' }).click()
      await lineOf(page, 'CPU of n2').waitFor({ state: 'attached' })
      wrong.push(...(await visitor.looks('gateway')))
      await page.getByRole('button', { name: 'Add a node' }).click()
      await page.getByText('Waits for a machine to join').waitFor()
      wrong.push(...(await visitor.looks('add-node')))
      await page.goto('/nowhere')
      await page.getByText('There is no such page').waitFor()
      wrong.push(...(await visitor.looks('nowhere')))

      expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
    },
  )

  test('a phone in the dark opens the navigation over the page, and goes where it leads', async () => {
    await using visitor = await browser.visitor(cluster.service.url, { scheme: 'dark', width: 390 })
    const { page } = visitor
    await page.goto('/')
    await visitor.signIn(PERSON)
    await page.getByRole('link', { name: 'demo' }).waitFor()
    await page.getByRole('button', { name: 'Navigation' }).click()
    const audit = page.getByRole('link', { name: 'Audit' })
    await audit.waitFor()
    expect(await visitor.looks('navigation')).toEqual([])
    await audit.click()

    await page.getByRole('heading', { name: 'Audit' }).waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test('the line beside a figure is there as soon as the figure: of what the service kept before the page was opened', async () => {
    const [node] = await cluster.client.nodes.list('demo')
    await waitFor(
      'two samples are kept',
      async () => (await cluster.client.nodes.histories('demo'))[0]?.nodes.find(({ id }) => id === node?.id)?.cpuPercent.length ?? 0,
      (samples) => samples >= 2,
      { timeoutMs: 30_000 },
    )
    await using visitor = await portal.visit('/account')
    const { page } = visitor
    const asked = new Set<string>()
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (/histor(y|ies)$/.test(pathname)) asked.add(`${pathname} of ${searchParams.get('gateway') ?? 'all'}`)
    })
    for (const [path, of] of [
      ['/gateways', 'CPU of demo'],
      ['/gateways/demo', 'CPU of n1'],
    ] as const) {
      await page.goto(path)
      const line = lineOf(page, of)
      await line.waitFor({ state: 'attached' })
      expect((await line.getAttribute('points'))?.trim().split(' ').length).toBeGreaterThanOrEqual(2)
    }

    expect([...asked]).toEqual(['/v1/histories of all', '/v1/histories of demo'])
    expect(visitor.complaints).toEqual([])
  })

  test('the limit of concurrent jobs is changed where it stands, and holds', async () => {
    await using visitor = await portal.visit('/gateways/demo')
    const { page } = visitor
    await page.getByRole('button', { name: /Concurrent jobs of n1/ }).click()
    await page.getByLabel('Copy tasks at a time').fill('7')
    await visitor.shot('job-limit')
    await page.getByRole('button', { name: 'Set', exact: true }).click()

    await page.getByRole('button', { name: 'Concurrent jobs of n1: 0 of 7. Change' }).waitFor()
    expect((await cluster.client.nodes.get('demo', 'n1')).jobLimit).toBe(7)
  })

  test('a node is drained and enabled from its menu, and deleted only by who types its name', async () => {
    await using visitor = await portal.visit('/gateways/demo')
    const { page } = visitor
    const menu = page.getByRole('button', { name: 'Actions on n2' })
    await menu.click()
    await page.getByRole('menuitem', { name: /^Drain/ }).waitFor()
    await visitor.shot('node-menu')
    await page.getByRole('menuitem', { name: /^Drain/ }).click()
    await page.getByText('draining', { exact: true }).waitFor()
    await visitor.shot('gateway-draining')
    await menu.click()
    await page.getByRole('menuitem', { name: 'Enable' }).click()
    await page.getByText('draining', { exact: true }).waitFor({ state: 'detached' })
    await menu.click()
    await page.getByRole('menuitem', { name: 'Delete…' }).click()
    const remove = page.getByRole('button', { name: 'Delete', exact: true })
    expect(await remove.isDisabled()).toBe(true)
    await page.getByLabel('Type n2 to delete it').fill('n1')
    expect(await remove.isDisabled()).toBe(true)
    expect(await visitor.look('delete-node')).toEqual([])
    await page.getByRole('button', { name: 'Keep it' }).click()

    expect((await cluster.client.nodes.list('demo')).map(({ name }) => name)).toEqual(['n1', 'n2'])
  })

  test('signing out ends the sign-in at the service too', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/')
    await visitor.signIn(PERSON)
    await page.getByRole('button', { name: `Signed in as ${PERSON.name}` }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()

    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    expect(await page.evaluate(async () => (await fetch('/v1/gateways')).status)).toBe(401)
  })
})

/** How a figure came to be. */
const lineOf = (page: Page, of: string): Locator => page.getByRole('img', { name: of }).locator('polyline').first()
