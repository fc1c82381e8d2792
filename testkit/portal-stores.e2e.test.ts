/** The pages of stores and queries in a real Chromium, with a real service, nodes and a PostgreSQL to look into. */
import type { QueryView } from '@postern/protocol/api/queries.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Portal } from './browser.ts'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' } as const
const ROWS = 5_000
const inWords = (ms: number | null) => (ms === null ? '–' : ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)

describe.skipIf(browserMissing() !== undefined)('stores and queries in the portal', () => {
  let cluster: Cluster
  let database: TestDatabase
  let browser: Browser
  let portal: Portal

  beforeAll(async () => {
    database = await testDatabase()
    await database.query(
      `create table orders as select n as id, 'customer ' || n as name, n * 0.50 as price, null::text as gone from generate_series(1, ${ROWS}) n`,
    )
    await database.query('analyze orders')
    cluster = await Cluster.start()
    await cluster.client.people.create(PERSON)
    await cluster.postgresStore('shop', database)
    browser = await Browser.start()
    portal = browser.portal(cluster.service.url, PERSON)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
    await database?.[Symbol.asyncDispose]()
  })

  async function fillStore(page: Page, name: string, password: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
    await page.getByLabel('Host').fill(database.host)
    await page.getByLabel('Port').fill(String(database.port))
    await page.getByLabel('Database').fill(database.name)
    await page.getByLabel('User').fill(database.user)
    await page.getByRole('textbox', { name: 'Password' }).fill(password)
  }

  async function makeStore(page: Page, name: string, password: string): Promise<void> {
    await fillStore(page, name, password)
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
  }

  const ask = async (page: Page, sql: string) => {
    await page.getByRole('textbox', { name: 'Statement' }).fill(sql)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
  }

  test('a store is made with a password that is sealed in the browser, and every node opens it', async () => {
    await using visitor = await portal.visit('/stores/-/new?gateway=demo&kind=postgres')
    const { page } = visitor
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await makeStore(page, 'made-here', database.password)
    // It is tested by itself once, as a query would.
    await page
      .getByRole('status')
      .getByText(/^PostgreSQL \d/)
      .waitFor()
    await page.getByRole('button', { name: 'Test on every node' }).click()
    await waitFor(
      'both nodes have opened it',
      () =>
        page
          .getByRole('table')
          .getByText(/^PostgreSQL \d/)
          .count(),
      (count) => count === 2,
    )

    expect(await cluster.client.stores.get('made-here')).toMatchObject({ secrets: ['password'], settings: { port: database.port } })
    expect(sent.filter((body) => body.includes(database.password))).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('what the service refuses is told at the field that it is about', async () => {
    await using visitor = await portal.visit('/stores/-/new?gateway=demo&kind=postgres')
    const { page } = visitor
    await fillStore(page, 'shop', database.password)
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByText(/A store of this name exists.*Choose another name/).waitFor()
    const name = page.getByRole('textbox', { name: 'Name', exact: true })
    await waitFor('it takes the keyboard', () => name.evaluate((field) => field.matches(':focus')), Boolean)
    await visitor.shot('store-new-refused')

    expect(await name.getAttribute('aria-invalid')).toBe('true')
    expect(visitor.complaints).toEqual([])
  })

  test('a wrong password is told with what to do about it', async () => {
    await using visitor = await portal.visit('/stores/-/new?gateway=demo&kind=postgres')
    const { page } = visitor
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByText('Is needed').first().waitFor()
    await makeStore(page, 'wrong', 'not this one')
    await page.getByText(/STORE_DENIED/).waitFor()
    await visitor.shot('store-test-failed')
    await page.getByRole('link', { name: 'Change the settings' }).click()
    await page.getByText(/STORE_DENIED/).waitFor()
    await visitor.shot('store-settings-fault')
    const password = page.getByRole('textbox', { name: 'Password' })
    expect(await password.getAttribute('aria-invalid')).toBe('true')

    await password.fill(database.password)
    await page.getByRole('button', { name: /^More settings/ }).click()
    await page.getByLabel('Connections').fill('3')
    await page.getByRole('button', { name: 'Change the store' }).click()
    await page.getByText('Store wrong is changed', { exact: false }).waitFor()
    await page.getByRole('tab', { name: 'Overview' }).click()
    await page.getByRole('button', { name: 'Test as a query would' }).click()
    await page
      .getByRole('status')
      .getByText(/^PostgreSQL \d/)
      .waitFor()
    expect(await cluster.client.stores.get('wrong')).toMatchObject({ version: 2, secrets: ['password'], settings: { maxConnections: 3 } })

    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByLabel('Type wrong to delete it').fill('wrong')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('heading', { name: 'Stores' }).waitFor()
    expect((await cluster.client.stores.list()).map(({ name }) => name)).not.toContain('wrong')
  })

  test('in light and dark, wide and on a phone every page shows what it should and shuts nobody out', LOOKING, async () => {
    await using visitor = await portal.visit('/stores')
    const { page } = visitor
    const wrong: string[] = []
    const look = async (name: string) => wrong.push(...(await visitor.looks(name)))
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
    await look('stores')
    await page.goto('/stores/-/new?gateway=demo&kind=postgres')
    await page.getByText(/^[0-9a-f]{4}( [0-9a-f]{4})+/).waitFor()
    await look('store-new')
    await page.goto('/stores/shop')
    await page.getByRole('button', { name: 'Test on every node' }).click()
    await waitFor(
      'both nodes have opened it',
      () => page.getByText(/^PostgreSQL \d/).count(),
      (count) => count === 2,
    )
    await look('store')
    await page.goto('/stores/shop?tab=browse')
    await page.getByRole('link', { name: 'public', exact: true }).click()
    await page.getByRole('link', { name: 'orders', exact: true }).click()
    await page.getByText('gone', { exact: true }).waitFor()
    await look('store-browse')
    await page.getByRole('tab', { name: 'Settings' }).click()
    await page.getByRole('button', { name: 'Change the store' }).waitFor()
    await look('store-settings')
    await page.getByRole('tab', { name: 'Limits' }).click()
    await page.getByRole('button', { name: 'Set the limits' }).waitFor()
    await look('store-limits')
    await page.goto('/queries?store=shop')
    await page.getByRole('textbox', { name: 'Statement' }).fill('select * from orders where id > $1 order by id')
    await page.getByLabel('Value of $1').fill('0')
    await page.getByLabel('What $1 is').selectOption('number')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('customer 1', { exact: true }).waitFor()
    await look('query')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText(/Seq Scan on orders/).waitFor()
    await look('query-plan')
    await page.getByRole('tab', { name: 'How it ran' }).click()
    await page.getByText('Nodes that were thought of').waitFor()
    await look('query-how')
    await page.goto('/queries/log?store=shop')
    await page.getByText('succeeded').first().waitFor()
    await look('query-log')
    await page.getByRole('table', { name: 'Queries' }).getByRole('link').first().click()
    await page.getByText('Nodes that were thought of').waitFor()
    await look('query-of-log')

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  test('rows of any number are drawn as they come into sight, a file is saved whole', async () => {
    await using visitor = await portal.visit('/queries?store=shop')
    const { page } = visitor
    await page.getByLabel('Rows at most').fill(String(ROWS))
    await ask(page, 'select id, name from orders order by id')
    const table = page.getByRole('table', { name: 'Rows of the result' })
    await page.getByText('customer 1', { exact: true }).waitFor()
    expect(await table.getByRole('row').count()).toBeLessThan(100)
    await table.evaluate((box) => box.scrollTo(0, box.scrollHeight))
    await page.getByText(`customer ${ROWS}`, { exact: true }).waitFor()

    await page.goto('/queries?store=shop&sql=select%20id%20from%20orders%20order%20by%20id')
    await page
      .getByRole('combobox', { name: 'As', exact: true })
      .or(page.getByRole('textbox', { name: 'As', exact: true }))
      .first()
      .click()
    await page.getByRole('option', { name: 'CSV file' }).click()
    await page.getByLabel('Rows at most').fill('')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save shop.csv' }).click()])
    const text = await Array.fromAsync(await download.createReadStream()).then((chunks) => Buffer.concat(chunks).toString())
    expect(text.trim().split(/\r?\n/)).toHaveLength(ROWS + 1)
    expect(visitor.complaints).toEqual([])
  })

  test('what a statement gives is copied by the form of a copy', async () => {
    await using visitor = await portal.visit('/queries?store=shop')
    const { page } = visitor
    const sql = 'select id, price\nfrom orders where id <= $1'
    await page.getByRole('textbox', { name: 'Statement' }).fill(sql)
    const copy = page.getByRole('button', { name: /^Copy the result…/ })
    expect(await copy.getAttribute('aria-disabled')).toBe('true')
    await page.getByRole('textbox', { name: 'Statement' }).fill(sql.replace('$1', '10'))
    await copy.click()
    await page.getByRole('heading', { name: 'Copy', exact: true }).waitFor()

    expect(new URL(page.url()).searchParams.get('source')).toBe('shop')
    expect(await page.getByRole('textbox', { name: 'Query' }).inputValue()).toBe(sql.replace('$1', '10'))
    await page
      .getByRole('combobox', { name: 'Into the store' })
      .or(page.getByRole('textbox', { name: 'Into the store' }))
      .first()
      .click()
    await page.getByRole('option', { name: 'shop (postgres)' }).click()
    await page.getByRole('textbox', { name: 'Table', exact: true }).fill('few_orders')
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('heading', { name: /few_orders/ }).waitFor()
    const run = await cluster.ended(new URL(page.url()).pathname.replace('/runs/', ''))
    expect(run).toMatchObject({ status: 'succeeded', rowsWritten: 10 })
    expect(visitor.complaints).toEqual([])
  })

  test('every figure of a query is the one of the API, in its unit', async () => {
    await using visitor = await portal.visit('/queries?store=shop')
    const { page } = visitor
    await ask(page, 'select id, price, 1 as "2024", 2 as "2023" from orders order by id limit 2')
    const table = page.getByRole('table', { name: 'Rows of the result' })
    await table.getByText('0.50', { exact: true }).waitFor()
    expect(await table.getByRole('columnheader').allTextContents()).toEqual(['#', 'id', 'price', '2024', '2023'])
    expect(await table.getByRole('row').last().getByRole('cell').allTextContents()).toEqual(['2', '2', '1.00', '1', '2'])
    await page.getByRole('tab', { name: 'How it ran' }).click()
    await page.getByText('Nodes that were thought of').waitFor()

    const [query] = (await cluster.client.queries.list({ store: 'shop' })).items
    if (!query) throw new Error('The query is not in the log.')
    const fact = async (name: string) => await page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd').textContent()
    expect([await fact('Rows'), await fact('Sent'), await fact('Node')]).toEqual(['2', `${query.bytes} B`, query.node])
    expect(await fact('In all')).toBe(inWords(query.durationMs))
    expect(await fact('To the first row')).toBe(inWords(query.firstRowMs))
    expect(await fact('Waited for a place')).toBe(inWords(query.queuedMs))
  })

  test('a statement that takes long is cancelled in its store', async () => {
    await using visitor = await portal.visit('/queries?store=shop')
    const { page } = visitor
    await ask(page, 'select pg_sleep(600)')
    const running = () => database.query(`select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(600)%'`)
    await waitFor('it runs', running, (rows) => rows.length === 1)
    await page.getByRole('button', { name: 'Cancel' }).click()

    await page.getByText('cancelled').waitFor()
    await waitFor('it runs no more', running, (rows) => rows.length === 0)
  })

  test('the log is filtered by its address, and a failed query says why', async () => {
    await using visitor = await portal.visit('/queries?store=shop')
    const { page } = visitor
    await ask(page, 'select * from nowhere')
    await page.getByRole('alert').waitFor()
    await page.goto('/queries/log?outcome=failed&store=shop')
    await page.getByRole('table', { name: 'Queries' }).getByRole('link').first().click()
    await page
      .getByText(/nowhere/)
      .first()
      .waitFor()

    const { items } = await cluster.client.queries.list({ outcome: 'failed', store: 'shop' })
    expect(items.map(({ outcome }: QueryView) => outcome)).toContain('failed')
    expect(visitor.complaints).toEqual([])
  })
})
