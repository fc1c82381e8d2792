/** Stores of every kind made in a real Chromium by the forms of their connectors, opened by real servers. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Portal } from './browser.ts'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from './mysql-server.ts'
import { azurite, type ObjectServer, s3Server } from './object-store.ts'

const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' } as const
const KINDS = ['postgres', 'mysql', 'files', 's3', 'azure-blob'] as const
const MISSING = browserMissing()

interface Wanted {
  readonly kind: (typeof KINDS)[number]
  /** By their labels. */
  readonly settings: Readonly<Record<string, string>>
  readonly secret?: readonly [label: string, text: string]
  readonly server: RegExp
}

describe.skipIf(MISSING !== undefined)('kinds of stores in the portal', () => {
  let cluster: Cluster
  let portal: Portal
  const held = new AsyncDisposableStack()

  beforeAll(async () => {
    cluster = held.use(await Cluster.start({ nodes: ['n1'] }))
    await cluster.client.people.create(PERSON)
    const browser = held.use(await Browser.start())
    portal = browser.portal(cluster.service.url, PERSON)
  })
  afterAll(() => held.disposeAsync())

  /** Made by its form, and opened by the node without another click. */
  async function make(page: Page, name: string, { kind, settings, secret, server }: Wanted): Promise<void> {
    await page.goto(`/stores/-/new?gateway=demo&kind=${kind}`)
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
    for (const [label, text] of Object.entries(settings)) await page.getByRole('textbox', { name: label, exact: true }).fill(text)
    if (secret) await page.getByRole('textbox', { name: secret[0], exact: true }).fill(secret[1])
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.getByRole('status').getByText(server).waitFor()
  }

  test('a folder of files is made, browsed and asked', async () => {
    const folder: TestFolder = held.use(await testFolder())
    await writeFile(join(folder.path, 'people.csv'), 'id,name\n1,Ann\n2,Béla\n')
    await using visitor = await portal.visit('/stores')
    const { page } = visitor
    await page.goto('/stores/-/new?gateway=demo&kind=files')
    await page.getByRole('textbox', { name: 'Folder', exact: true }).fill('lake')
    await page.getByRole('button', { name: 'Make the store' }).click()
    await page.getByText('Is wanted in the form of /srv/lake').waitFor()
    await make(page, 'lake', { kind: 'files', settings: { Folder: folder.path }, server: /DuckDB/ })
    await page.getByRole('tab', { name: 'Browse' }).click()
    await page.getByRole('link', { name: 'Query people.csv' }).click()
    await page.getByRole('textbox', { name: 'Statement' }).waitFor()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('Béla', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Explain' }).click()
    await page
      .getByLabel('Plan')
      .getByText(/READ_CSV/)
      .waitFor()

    expect(await page.getByRole('button', { name: /^Copy the result/ }).count()).toBe(0)
    expect(visitor.complaints).toEqual([])
  })

  test('a bucket of S3 is made with its key sealed', async () => {
    const s3: ObjectServer = held.use(await s3Server())
    const { settings, secrets } = s3.access
    await using visitor = await portal.visit('/stores')
    await make(visitor.page, 'bucket', {
      kind: 's3',
      settings: { Endpoint: s3.endpoint, Bucket: String(settings['bucket']), 'Access key id': String(settings['accessKeyId']) },
      secret: ['Secret access key', String(secrets?.['secretAccessKey'])],
      server: /DuckDB/,
    })

    expect(await cluster.client.stores.get('bucket')).toMatchObject({ secrets: ['secretAccessKey'] })
    expect(visitor.complaints).toEqual([])
  })

  test('a container of Azure Blob Storage is made with its key sealed', async () => {
    const azure: ObjectServer = held.use(await azurite())
    const { settings, secrets } = azure.access
    await using visitor = await portal.visit('/stores')
    await make(visitor.page, 'blobs', {
      kind: 'azure-blob',
      settings: { Endpoint: azure.endpoint, Account: String(settings['account']), Container: String(settings['container']) },
      secret: ['Account key', String(secrets?.['accountKey'])],
      server: /DuckDB/,
    })

    expect(await cluster.client.stores.get('blobs')).toMatchObject({ secrets: ['accountKey'] })
    expect(visitor.complaints).toEqual([])
  })

  test.skipIf(mysqlMissing() !== undefined)('a MySQL is made, asked with values, and explained as a table of steps', async () => {
    const server = held.use(await MysqlServer.start())
    const crm: MysqlDatabase = held.use(await server.database())
    await crm.query(`create table orders (id bigint primary key, amount decimal(10,2)); insert into orders values (1, 0.50), (2, 12.00)`)
    await using visitor = await portal.visit('/stores')
    const { page } = visitor
    await make(page, 'crm', {
      kind: 'mysql',
      settings: { Host: crm.host, Port: String(crm.port), Database: crm.name, User: crm.user },
      secret: ['Password', crm.password],
      server: /^(MariaDB|MySQL) \d/,
    })
    await page.goto('/queries?store=crm')
    await page.getByRole('textbox', { name: 'Statement' }).fill("select amount from orders where id = ? and 'a?' = 'a?'")
    await page.getByLabel('Value of ?1').fill('2')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('12.00', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByRole('columnheader', { name: 'select_type' }).waitFor()

    expect(visitor.complaints).toEqual([])
  })

  test('in light and dark, wide and on a phone the form of every kind can be used by everybody', LOOKING, async () => {
    await using visitor = await portal.visit('/stores')
    const { page } = visitor
    const wrong: string[] = []
    for (const kind of KINDS) {
      await page.goto(`/stores/-/new?gateway=demo&kind=${kind}`)
      await page.getByRole('button', { name: /^More settings/ }).click()
      await page.getByRole('group', { name: 'More settings' }).waitFor()
      wrong.push(...(await visitor.looks(`store-new-${kind}`)))
    }

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })
})
