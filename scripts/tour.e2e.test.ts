/** The tour of docs/portal.md, walked in a real Chromium; each picture there was taken here (`npm run tour`). */
import { Browser, browserMissing, type Page, type Visitor } from '@postern/testkit/browser.ts'
import { postern } from '@postern/testkit/cli.ts'
import type { TestNode } from '@postern/testkit/node.ts'
import { choose, fillPostgresStore, makeFirstAdministrator, makeGateway, makeStore, pickTable } from '@postern/testkit/portal-newcomer.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAskedFor, takePicture } from './tour/pictures.ts'
import { TourWorld } from './tour/tour-world.ts'

const ANN = { name: 'ann', password: 'a gate in the north wall' }
/** For the pictures as many flights as look like work; a test of the way needs fewer. */
const ROWS = isAskedFor ? 600_000 : 60_000
/** The run shall be seen while it goes on. */
const RUN_SECONDS = 25
const RUN = { timeout: 120_000 }
const FLIGHTS = `select origin, count(*) as flights, round(avg(delay), 1) as minutes_late
  from flights
 group by origin
 order by flights desc
 limit 12`

describe.skipIf(browserMissing() !== undefined)('the tour', () => {
  let world: TourWorld
  let browser: Browser
  let ann: Visitor
  let page: Page
  let node: TestNode

  beforeAll(async () => {
    ;[world, browser] = await Promise.all([TourWorld.make(ROWS), Browser.start()])
    ann = await browser.visitor(world.service.url)
    ;({ page } = ann)
  }, 240_000)
  afterAll(async () => {
    await ann?.[Symbol.asyncDispose]()
    await browser?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
  })

  test('the first visit, the first gateway, its nodes', async () => {
    await page.goto('/')
    await page.getByLabel("Administrator's token").waitFor()
    await takePicture(page, 'first-visit', 620)
    await makeFirstAdministrator(page, world.service.token, ANN)
    const line = await makeGateway(page, 'berlin')
    node = await world.addNode('berlin-1', line)
    await page.getByRole('link', { name: 'Make its first store' }).waitFor()
    await takePicture(page, 'new-gateway', 760)
    await world.addNode('berlin-2', line)
    await page.getByText('berlin-2 has joined').waitFor()
    await page.getByRole('link', { name: 'Make its first store' }).click()

    await page.getByRole('heading', { name: 'New store' }).waitFor()
  })

  test('stores, and whether the nodes can open them', async () => {
    await fillPostgresStore(page, { name: 'shop', at: world.shop })
    await takePicture(page, 'new-store', 900)
    await makeStore(page, 'shop')
    await page.getByRole('button', { name: 'Test on every node' }).click()
    const opened = page.getByRole('table').getByText(/^PostgreSQL \d/)
    await waitFor(
      'both nodes have opened it',
      async () => ({ opened: await opened.count(), testing: await page.getByText('testing', { exact: true }).count() }),
      (seen) => seen.opened === 2 && seen.testing === 0,
    )
    await takePicture(page, 'store', 640)
    await page.goto('/stores/-/new')
    await fillPostgresStore(page, { name: 'warehouse', at: world.warehouse })
    await makeStore(page, 'warehouse')
    await page.goto('/stores/-/new')
    await choose(page, 'Kind', 'Files')
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('lake')
    await page.getByRole('textbox', { name: 'Folder' }).fill(world.lake)
    await makeStore(page, 'lake')
    await page.goto('/stores')

    await page.getByRole('link', { name: 'lake', exact: true }).waitFor()
  })

  test('a query', async () => {
    await page.goto('/queries?store=shop')
    await page.getByRole('textbox', { name: 'Statement' }).fill(FLIGHTS)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('table', { name: 'Rows of the result' }).getByRole('row').nth(5).waitFor()

    await takePicture(page, 'query', 800)
  })

  test('a copy is put together, and followed to its end', async () => {
    await page.goto('/copies/new?source=shop')
    await pickTable(page, 'public', 'flights')
    await choose(page, 'Into the store', 'lake (files)')
    await page.getByLabel('File or folder').fill('flights.parquet/')
    await page.getByLabel('Parts', { exact: true }).fill('8')
    await page.getByLabel('Rows a second').fill(String(Math.round(ROWS / RUN_SECONDS)))
    await page.getByLabel('Parts at a time').fill('4')
    await takePicture(page, 'copy', 900)
    await page.getByRole('button', { name: 'Run now' }).click()
    const succeeded = page.getByRole('button', { name: 'Verify and repair' })
    await page
      .getByText(/^[4-9]\d % · /)
      .or(succeeded)
      .first()
      .waitFor(RUN)
    await takePicture(page, 'run', 820)
    const run = new URL(page.url()).pathname
    await page.goto('/gateways/berlin')
    await waitFor(
      "some seconds' figures",
      () => page.evaluate<number>('document.querySelector("polyline")?.getAttribute("points")?.split(" ").length ?? 0'),
      (points) => points > 6,
    )
    await takePicture(page, 'gateway', 560)
    await page.goto(run)
    await succeeded.waitFor(RUN)
    await page.getByRole('tab', { name: /^Nodes/ }).click()
    await page.getByRole('group', { name: 'When each node ran what' }).waitFor()

    await takePicture(page, 'run-nodes', 820)
  }, 240_000)

  test('a copy that fails says why, and what to do', async () => {
    await page.goto('/copies/new?source=shop')
    await pickTable(page, 'public', 'movies')
    await choose(page, 'Into the store', 'warehouse (postgres)')
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('button', { name: 'Run again' }).waitFor(RUN)
    await page.getByRole('alert').first().waitFor()

    await takePicture(page, 'run-failed', 760)
  })

  test('people, what they may, and what was done', async () => {
    await page.goto('/people')
    await page.getByRole('button', { name: 'New person' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('bob')
    await page.getByRole('button', { name: 'Make the account' }).click()
    await page.getByRole('link', { name: 'Give roles' }).click()
    await page.getByRole('button', { name: 'Give a role' }).click()
    await choose(page, 'Where', 'store shop')
    await page.getByRole('radio', { name: 'store-user' }).check()
    await takePicture(page, 'give-role', 720)
    await page.getByRole('button', { name: 'Give the role' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.goto('/audit')
    await page.getByRole('table').getByRole('button').first().waitFor()

    await takePicture(page, 'audit', 720)
    expect(ann.complaints).toEqual([])
  })

  test('the configuration manager of a node', async () => {
    const console = await postern(['node', 'console', '--data', node.data, '--json'])
    const { address } = console.json<{ readonly address: string }>()
    await using visitor = await browser.visitor(new URL(address).origin)
    await visitor.page.goto(address)
    await visitor.page.getByText('In sync').waitFor()
    await takePicture(visitor.page, 'node-status', 900)
    await visitor.page.getByRole('link', { name: 'Diagnostics' }).click()
    await visitor.page.getByRole('button', { name: 'Call all' }).click()
    await visitor.page.getByRole('button', { name: 'Test all' }).click()
    await visitor.page.getByText('passed', { exact: true }).nth(3).waitFor()

    await takePicture(visitor.page, 'node-diagnostics', 620)
    expect(visitor.complaints).toEqual([])
  })

  test('on a phone, in the dark', async () => {
    await using visitor = await browser.visitor(world.service.url, { scheme: 'dark', width: 390 })
    await visitor.page.goto('/gateways/berlin')
    await visitor.page.getByLabel('Name').fill(ANN.name)
    await visitor.page.getByRole('textbox', { name: 'Password' }).fill(ANN.password)
    await visitor.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await visitor.page.getByText('berlin-2', { exact: true }).first().waitFor()

    await takePicture(visitor.page, 'phone', 780)
    expect(visitor.complaints).toEqual([])
  })
})
