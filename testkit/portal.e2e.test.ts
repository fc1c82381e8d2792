/** The portal in a real Chromium: what a person sees, on a wide screen and on a phone, in light and dark. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Scheme, type Visitor, type Width } from './browser.ts'
import { Cluster } from './cluster.ts'

const NAME = 'ada'
const PASSWORD = 'a gate in the north wall'
const DIST = resolve(import.meta.dirname, '..', 'portal', 'dist')
const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
]

describe.skipIf(browserMissing() !== undefined)('the portal', () => {
  let cluster: Cluster
  let browser: Browser

  beforeAll(async () => {
    cluster = await Cluster.start()
    browser = await Browser.start()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  async function signIn({ page }: Visitor): Promise<void> {
    await page.getByRole('textbox', { name: 'Name' }).fill(NAME)
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  test('the first to come makes the first administrator with the token of the service, and is in', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/')
    await page.getByLabel("Administrator's token").fill(cluster.service.token)
    await visitor.shot('first-person')
    await page.getByLabel('Your name').fill(NAME)
    await page.getByRole('textbox', { name: 'Password' }).last().fill(PASSWORD)
    await page.getByRole('button', { name: 'Make it and sign in' }).click()

    await page.getByRole('heading', { name: 'Gateways' }).waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test('a wrong password is refused in words, and the page that was asked for comes after the right one', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/gateways/demo')
    await page.getByRole('textbox', { name: 'Name' }).fill(NAME)
    await page.getByRole('textbox', { name: 'Password' }).fill('not this one at all')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('alert').waitFor()
    await visitor.shot('sign-in-refused')
    await signIn(visitor)

    await page.getByRole('heading', { name: 'demo', exact: true }).waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test.each(LOOKS)('in %s at %i pixels every page shows what it should, shuts nobody out, and asks nobody else', async (scheme, width) => {
    await using visitor = await browser.visitor(cluster.service.url, { scheme, width })
    const { page } = visitor
    await page.goto('/')
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    await visitor.shot('sign-in')
    const atSignIn = await visitor.barriers()
    await signIn(visitor)
    await page.getByRole('link', { name: 'demo' }).waitFor()
    await visitor.shot('gateways')
    const atGateways = await visitor.barriers()
    await page.getByRole('link', { name: 'demo' }).click()
    await page.getByText('n2', { exact: true }).first().waitFor()
    await visitor.shot('gateway')
    const atGateway = await visitor.barriers()
    await page.goto('/nowhere')
    await page.getByText('There is no such page').waitFor()

    expect({ atSignIn, atGateways, atGateway, complaints: visitor.complaints }).toEqual({
      atSignIn: [],
      atGateways: [],
      atGateway: [],
      complaints: [],
    })
  })

  test('the limit of concurrent jobs is changed where it stands, and holds', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/gateways/demo')
    await signIn(visitor)
    await page.getByRole('button', { name: /Concurrent jobs of n1/ }).click()
    await page.getByLabel('Copy tasks at a time').fill('7')
    await page.getByRole('button', { name: 'Set', exact: true }).click()

    await page.getByRole('button', { name: 'Concurrent jobs of n1: 0 of 7. Change' }).waitFor()
    expect((await cluster.client.nodes.get('demo', 'n1')).jobLimit).toBe(7)
  })

  test('a node is drained and enabled from its menu, and deleted only by who types its name', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    const menu = page.getByRole('button', { name: 'Actions on n2' })
    await page.goto('/gateways/demo')
    await signIn(visitor)
    await menu.click()
    await page.getByRole('menuitem', { name: /^Drain/ }).click()
    await page.getByText('draining', { exact: true }).waitFor()
    await menu.click()
    await page.getByRole('menuitem', { name: 'Enable' }).click()
    await page.getByText('draining', { exact: true }).waitFor({ state: 'detached' })
    await menu.click()
    await page.getByRole('menuitem', { name: 'Delete…' }).click()
    const remove = page.getByRole('button', { name: 'Delete', exact: true })
    expect(await remove.isDisabled()).toBe(true)
    await page.getByLabel('Type n2 to delete it').fill('n1')
    expect(await remove.isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Keep it' }).click()

    expect((await cluster.client.nodes.list('demo')).map(({ name }) => name)).toEqual(['n1', 'n2'])
  })

  test('signing out ends the sign-in at the service too', async () => {
    await using visitor = await browser.visitor(cluster.service.url)
    const { page } = visitor
    await page.goto('/')
    await signIn(visitor)
    await page.getByRole('button', { name: `Signed in as ${NAME}` }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()

    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    expect(await page.evaluate(async () => (await fetch('/v1/gateways')).status)).toBe(401)
  })

  test('a cold browser has the sign-in page soon, with little to load', async () => {
    const first = [...readFileSync(join(DIST, 'index.html'), 'utf8').matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(
      ([, file]) => file ?? '',
    )
    const bytes = first.reduce((sum, file) => sum + gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length, 0)
    await using visitor = await browser.visitor(cluster.service.url)
    const from = performance.now()
    await visitor.page.goto('/')
    await visitor.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    console.info(
      `portal: ${first.length} scripts, ${bytes} bytes gzip of ${readdirSync(join(DIST, 'assets')).length} files; usable after ${Math.round(performance.now() - from)} ms`,
    )

    expect(first.length).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(250_000)
  })
})
