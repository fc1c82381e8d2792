/** From the first visit to a copy that is verified, by the portal alone, in a real Chromium. */
import { createServer } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing } from './browser.ts'
import { choose, fillPostgresStore, makeFirstAdministrator, makeGateway, makeStore, pickTable } from './portal-newcomer.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { TestService } from './service.ts'
import { TypedLine } from './typed-line.ts'
import { waitFor } from './wait-for.ts'

const PERSON = { name: 'ann', password: 'a gate in the north wall' }
const ROWS = 20_000
/** Of a node that is told no others: channel and console. */
const NODE_PORTS = [8050, 8051]
const COPIED = { timeout: 90_000 }

describe.skipIf(browserMissing() !== undefined)('a newcomer', () => {
  let service: TestService
  let browser: Browser
  let shop: TestDatabase
  let warehouse: TestDatabase

  beforeAll(async () => {
    ;[service, shop, warehouse] = await Promise.all([TestService.start(), testDatabase(), testDatabase()])
    await shop.query(`
      create table orders (id bigint primary key, placed timestamptz not null, amount numeric(12, 2) not null, note text);
      insert into orders
        select n, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute', n * 1.25, case when n % 7 > 0 then 'note ' || n end
          from generate_series(1, ${ROWS}) n;
      analyze orders`)
    browser = await Browser.start()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await Promise.all([service, shop, warehouse].map((one) => one?.[Symbol.asyncDispose]()))
  })

  test('comes from the first visit to a verified copy by what the portal says, and every row is there once', async () => {
    await using visitor = await browser.visitor(service.url)
    const { page } = visitor
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await page.goto('/')
    await page.getByText('admin-token', { exact: false }).first().waitFor()
    await makeFirstAdministrator(page, service.token, PERSON)

    await page.getByText('There is no gateway yet.').waitFor()
    const line = await makeGateway(page, 'harbour')
    await waitFor('no other node has the ports of this machine', async () => (await Promise.all(NODE_PORTS.map(isFree))).every(Boolean))
    await using node = await TypedLine.type(line)
    const name = await node.ready()
    await page.getByText(`${name} has joined`).waitFor()
    await visitor.shot('newcomer-joined')
    await page.getByRole('link', { name: 'Make its first store' }).click()

    await fillPostgresStore(page, { name: 'shop', at: shop })
    await makeStore(page, 'shop')
    await page.getByRole('button', { name: 'Test on every node' }).click()
    await page
      .getByRole('table')
      .getByText(/^PostgreSQL \d/)
      .waitFor()
    await page.getByRole('link', { name: 'Copy from it' }).click()
    await page.getByText('There is only shop itself so far.').waitFor()
    await visitor.shot('newcomer-one-store')
    await page.getByRole('link', { name: 'Make another store' }).click()
    await fillPostgresStore(page, { name: 'warehouse', at: warehouse })
    await makeStore(page, 'warehouse')

    await page.getByRole('link', { name: 'Copy', exact: true }).click()
    await choose(page, 'From the store', 'shop (postgres)')
    await pickTable(page, 'public', 'orders')
    await choose(page, 'Into the store', 'warehouse (postgres)')
    expect(await page.getByRole('textbox', { name: 'Table', exact: true }).inputValue()).toBe('orders')
    await page.getByRole('button', { name: 'Run now' }).click()
    // Offered where a run has succeeded.
    await page.getByRole('button', { name: 'Verify and repair' }).waitFor(COPIED)
    await page.getByRole('tab', { name: 'Verification (passed)' }).click()
    await waitFor(
      'both ends are counted',
      () => page.getByText('20,000 rows', { exact: true }).count(),
      (count) => count === 2,
    )
    await visitor.shot('newcomer-verified')

    expect(await rowsOf(warehouse)).toEqual({ rows: ROWS, ids: ROWS, same: true, sum: (await rowsOf(shop)).sum })
    expect(sent.filter((body) => body.includes(shop.password))).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('who has a gateway without a store is shown what comes next', async () => {
    await using visitor = await browser.visitor(service.url)
    const { page } = visitor
    await page.goto('/')
    await page.getByLabel('Name').fill(PERSON.name)
    await page.getByRole('textbox', { name: 'Password' }).fill(PERSON.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await makeGateway(page, 'quarry')
    await page.getByRole('link', { name: 'Go to the gateway' }).click()
    await page.getByText('No node has joined yet.', { exact: false }).first().waitFor()
    await page.getByRole('link', { name: 'Stores', exact: true }).click()
    await page.getByRole('link', { name: 'New store' }).click()
    await choose(page, 'Gateway', 'quarry')
    await choose(page, 'Kind', 'PostgreSQL')
    await page.getByText('Gateway quarry has no key yet').waitFor()
    await page.getByRole('link', { name: 'Add a node' }).click()

    await page.getByRole('heading', { name: 'quarry', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Add a node' }).click()
    await page.getByRole('dialog').getByText('Waits for a machine to join').waitFor()
    expect(visitor.complaints).toEqual([])
  })
})

/** Plain SQL on a connection of its own: counted by PostgreSQL alone. */
async function rowsOf({ url }: TestDatabase): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(
      `select count(*)::int as rows, count(distinct id)::int as ids, min(id) = 1 and max(id) = ${ROWS} as same,
              sum(hashtextextended(t::text, 0))::text as sum
         from orders t`,
    )
    return rows[0] ?? {}
  } finally {
    await client.end()
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
