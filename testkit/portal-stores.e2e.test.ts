/** The pages of stores and queries in a real Chromium, with a real service, nodes and a PostgreSQL to look into. */
import type { QueryView } from '@postern/protocol/api/queries.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Scheme, type Visitor, type Width } from './browser.ts'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' } as const
const ROWS = 5_000
const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
]

describe.skipIf(browserMissing() !== undefined)('stores and queries in the portal', () => {
  let cluster: Cluster
  let database: TestDatabase
  let browser: Browser

  beforeAll(async () => {
    database = await testDatabase()
    await database.query(
      `create table orders as select n as id, 'customer ' || n as name, null::text as gone from generate_series(1, ${ROWS}) n`,
    )
    cluster = await Cluster.start()
    await cluster.client.people.create(PERSON)
    await cluster.postgresStore('shop', database)
    browser = await Browser.start()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
    await database?.[Symbol.asyncDispose]()
  })

  async function visit(path: string, look?: { readonly scheme?: Scheme; readonly width?: Width }): Promise<Visitor> {
    const visitor = await browser.visitor(cluster.service.url, look)
    const { page } = visitor
    await page.goto(path)
    await page.getByLabel('Name').fill(PERSON.name)
    await page.getByRole('textbox', { name: 'Password' }).fill(PERSON.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' })
    return visitor
  }

  async function makeStore(page: Page, name: string, password: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
    await page.getByLabel('Host').fill(database.host)
    await page.getByLabel('Port').fill(String(database.port))
    await page.getByLabel('Database').fill(database.name)
    await page.getByLabel('User').fill(database.user)
    await page.getByRole('textbox', { name: 'Password' }).fill(password)
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
  }

  const ask = async (page: Page, sql: string) => {
    await page.getByRole('textbox', { name: 'Statement' }).fill(sql)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
  }

  test('a store is made with a password that is sealed in the browser, and every node opens it', async () => {
    await using visitor = await visit('/stores/-/new?gateway=demo&kind=postgres')
    const { page } = visitor
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await makeStore(page, 'made-here', database.password)
    await page.getByRole('button', { name: 'Test on every node' }).click()
    await waitFor(
      'both nodes have opened it',
      () => page.getByText(/^PostgreSQL \d/).count(),
      (count) => count === 2,
    )

    expect(await cluster.client.stores.get('made-here')).toMatchObject({ secrets: ['password'], settings: { port: database.port } })
    expect(sent.filter((body) => body.includes(database.password))).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('a wrong password is told with what to do about it', async () => {
    await using visitor = await visit('/stores/-/new?gateway=demo&kind=postgres')
    const { page } = visitor
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByText('Is needed').first().waitFor()
    await makeStore(page, 'wrong', 'not this one')
    await page.getByRole('button', { name: 'Test as a query would' }).click()
    await page.getByText(/STORE_DENIED/).waitFor()
    await visitor.shot('store-test-failed')

    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByLabel('Type wrong to delete it').fill('wrong')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('heading', { name: 'Stores' }).waitFor()
    expect((await cluster.client.stores.list()).map(({ name }) => name)).not.toContain('wrong')
  })

  test.each(LOOKS)('in %s at %i pixels every page shows what it should and shuts nobody out', async (scheme, width) => {
    await using visitor = await visit('/stores', { scheme, width })
    const { page } = visitor
    const barriers: string[] = []
    const look = async (name: string) => {
      await visitor.shot(name)
      const over: number = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
      barriers.push(...(await visitor.barriers()).map((one) => `${name}: ${one}`), ...(over > 0 ? [`${name} hangs over`] : []))
    }
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
    await look('stores')
    await page.goto('/stores/-/new?gateway=demo&kind=postgres')
    await page.getByText(/^[0-9a-f]{4}( [0-9a-f]{4})+/).waitFor()
    await look('store-new')
    await page.goto('/stores/shop')
    await page.getByRole('button', { name: 'Test on n1' }).waitFor()
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
    await page.getByRole('tab', { name: 'How it ran' }).click()
    await page.getByText('Nodes that were thought of').waitFor()
    await look('query-how')
    await page.goto('/queries/log?store=shop')
    await page.getByText('succeeded').first().waitFor()
    await look('query-log')
    await page.getByRole('table', { name: 'Queries' }).getByRole('link').first().click()
    await page.getByText('Nodes that were thought of').waitFor()
    await look('query-of-log')

    expect({ barriers, complaints: visitor.complaints }).toEqual({ barriers: [], complaints: [] })
  })

  test('rows of any number are drawn as they come into sight, a file is saved whole', async () => {
    await using visitor = await visit('/queries?store=shop')
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

  test('a statement that takes long is cancelled in its store', async () => {
    await using visitor = await visit('/queries?store=shop')
    const { page } = visitor
    await ask(page, 'select pg_sleep(600)')
    const running = () => database.query(`select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(600)%'`)
    await waitFor('it runs', running, (rows) => rows.length === 1)
    await page.getByRole('button', { name: 'Cancel' }).click()

    await page.getByText('cancelled').waitFor()
    await waitFor('it runs no more', running, (rows) => rows.length === 0)
  })

  test('the log is filtered by its address, and a failed query says why', async () => {
    await using visitor = await visit('/queries?store=shop')
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
