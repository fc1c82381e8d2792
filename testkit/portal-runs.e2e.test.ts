/** Copies and runs in a real Chromium: the form with every option, and a run that is followed live. */
import { Fault } from '@postern/protocol/fault.ts'
import { moved } from '@postern/service/testing/fake-node.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserMissing } from './browser.ts'
import { choose, PortalRunsRig, partName, reportOf } from './portal-runs-rig.ts'

const ROWS = [600, 300, 100] as const

describe.skipIf(browserMissing() !== undefined)('copies and runs in the portal', () => {
  let rig: PortalRunsRig

  beforeAll(async () => {
    rig = await PortalRunsRig.start()
  })
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]()
  })

  test('a copy is put together by browsing, with every option, and runs', async () => {
    await using visitor = await rig.visit('/copies/new')
    const { page } = visitor
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByText('Choose the store that is read').waitFor()
    await choose(page, 'From the store', 'shop (postgres)')
    await page.getByRole('button', { name: 'Browse…' }).click()
    await page.getByRole('button', { name: 'public', exact: true }).click()
    await page.getByRole('checkbox', { name: 'Copy orders' }).check()
    await page.getByRole('button', { name: 'Take it' }).click()
    await choose(page, 'Into the store', 'lake (files)')
    expect(await page.getByLabel('File or folder').inputValue()).toBe('orders.parquet')
    await page.getByLabel('File or folder').fill('orders/')
    await page.getByRole('radio', { name: /^Overwrite/ }).check()
    await choose(page, 'Verify', 'Checksums of all values at both ends')
    await page.getByLabel('Parts', { exact: true }).fill('4')
    await page.getByRole('combobox', { name: 'Cut by the column' }).fill('id')
    await page.getByRole('radio', { name: /^At least once/ }).check()
    await page.getByRole('switch', { name: 'Leave out rows that the target cannot take' }).check()
    await page.getByLabel('At most').fill('5')
    await choose(page, 'Keep them in the store', 'lake (files)')
    await page.getByRole('textbox', { name: 'Folder', exact: true }).fill('rejects/')
    await page.getByRole('button', { name: /^How lake is written/ }).click()
    await page.getByLabel('Rows of a row group').fill('5000')
    await page.getByLabel('Parts at a time').fill('2')
    await page.getByLabel('Rows a second').fill('50000')
    await page.getByLabel('Megabytes a second').fill('1.5')
    await page.getByLabel('Time-out').fill('90')
    await page.getByLabel('Retries of a task').fill('1')
    await choose(page, 'Only on the node', 'a')
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('heading', { name: 'shop:public.orders → lake:orders/' }).waitFor()

    const id = new URL(page.url()).pathname.replace('/runs/', '')
    expect((await rig.view(id)).copy).toEqual({
      ...{ source: 'shop', sink: 'lake', from: 'public.orders', to: 'orders/', mode: 'overwrite', key: [], verify: 'checksum' },
      ...{ parts: 4, splitBy: 'id', guarantee: 'at-least-once', read: {}, write: { rowGroupRows: 5_000 }, parallel: 2 },
      ...{ skipIncompatibleRows: { limit: 5, rejects: { store: 'lake', path: 'rejects/' } } },
      ...{ rowsPerSecond: 50_000, bytesPerSecond: 1_500_000, timeoutMs: 5_400_000, retries: 1, node: 'a' },
    })
    await page.getByRole('link', { name: 'New copy like this' }).click()
    await page.getByLabel('Parts at a time').waitFor()
    expect(await page.getByLabel('Megabytes a second').inputValue()).toBe('1.5')
    await rig.cancel(id)
    expect(visitor.complaints).toEqual([])
  })

  test('several tables are a run each; what a query finds and what is in files is copied too, with keys and watermarks', async () => {
    await using visitor = await rig.visit(
      `/copies/new?source=shop&sink=lake&from=${encodeURIComponent('["public.orders","public.lines"]')}`,
    )
    const { page } = visitor
    const started = async () => (await rig.runs()).map(({ name }) => name)
    await page.getByRole('button', { name: 'Run 2 copies now' }).click()
    await page.getByRole('link', { name: 'shop:public.lines → lake:lines.parquet' }).waitFor()
    expect(await started()).toContain('shop:public.orders → lake:orders.parquet')

    await page.goto('/copies/new?source=shop&sink=shop&to=totals')
    await page.getByText("A query's result").click()
    await page.getByRole('textbox', { name: 'Query' }).fill('select id, sum(total) as total from orders group by id;')
    await page.getByRole('radio', { name: /^Upsert/ }).check()
    await page.getByRole('combobox', { name: 'Key' }).fill('id')
    await page.getByRole('combobox', { name: 'Only what is new' }).fill('id')
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('heading', { name: /^shop:\(select id/ }).waitFor()
    expect((await rig.view(new URL(page.url()).pathname.replace('/runs/', ''))).copy).toMatchObject({
      ...{ from: '(select id, sum(total) as total from orders group by id)', mode: 'upsert', key: ['id'], watermark: 'id' },
    })

    await page.goto('/copies/new?source=lake&sink=shop')
    await page.getByRole('combobox', { name: 'Files, folders or globs' }).fill('in/*.csv')
    await page.getByRole('combobox', { name: 'Files, folders or globs' }).press('Enter')
    await page.getByRole('button', { name: /^How lake is read/ }).click()
    await choose(page, 'Header line', 'no')
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('heading', { name: 'lake:in/*.csv → shop:in' }).waitFor()
    expect((await rig.view(new URL(page.url()).pathname.replace('/runs/', ''))).copy.read).toEqual({ header: false })
    for (const { id } of await rig.runs()) await rig.cancel(id).catch(() => undefined)
    expect(visitor.complaints).toEqual([])
  })

  test('a run is followed live: who runs what, what failed and why; then it is cancelled by name, and runs again', async () => {
    const run = await rig.planned(ROWS)
    const [one, two] = run.parts
    if (!one || !two) throw new Error('There are no parts.')
    // At once: what was handed out and is not begun is handed out anew.
    await rig.node.started(one)
    await rig.second.started(two)
    await using visitor = await rig.visit(`/runs/${run.id}`)
    const { page } = visitor
    await rig.node.progress(one, { rowsRead: 321, rowsWritten: 321, bytesRead: 3e6, bytesWritten: 3e6 })
    await page.getByText('0 of 3 parts', { exact: false }).waitFor()
    await page.getByText('321', { exact: true }).first().waitFor()
    const { code, message, remedy } = new Fault('TABLE_MISSING', { at: 'public.orders' })
    await rig.second.finished(two, { outcome: 'failed', fault: { code, message, remedy, details: {} }, counters: moved(20).counters })
    await page.getByRole('alert').first().waitFor()
    await page.getByRole('button', { name: partName(1) }).click()
    await page.getByText('Attempt 1 on b').waitFor()
    await page.reload()
    await page.getByRole('region', { name: `Task ${partName(1)}` }).waitFor()
    expect(await page.getByRole('alert').filter({ hasText: code }).count()).toBe(2)
    await page.getByRole('tab', { name: /^Nodes/ }).click()
    await page.getByRole('link', { name: `${partName(1)}, attempt 1: failed` }).click()
    await page.getByRole('region', { name: `Task ${partName(1)}` }).waitFor()
    await rig.node.finished(one, moved(600)).catch(() => undefined)

    await page.getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await page.getByLabel('Type lake to cancel it').fill('lake')
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('button', { name: 'Run again' }).waitFor()
    expect((await rig.view(run.id)).status).toBe('cancelled')
    expect(visitor.complaints).toEqual([])
  })

  test('what a verification found to differ is named, and repaired', async () => {
    const id = await rig.verified(ROWS, (tasks) => reportOf(ROWS, 3, 'checksum', tasks), { verify: 'checksum' })
    await using visitor = await rig.visit(`/runs/${id}?tab=verification`)
    const { page } = visitor
    await page.getByText('1 of 3 parts differs').waitFor()
    const first = page.getByRole('table', { name: 'Parts compared' }).getByRole('row').nth(1)
    await first.getByText('297', { exact: true }).waitFor()
    await first.getByRole('link', { name: partName(1) }).click()
    await page.getByRole('region', { name: `Task ${partName(1)}` }).waitFor()
    await page.getByRole('button', { name: 'Verify and repair' }).click()
    await page.getByRole('button', { name: 'Cancel…' }).waitFor()

    expect((await rig.orderOf({ id: (await rig.view(id)).id }, 'repair')).kind).toBe('repair')
    await rig.cancel(id)
    expect(visitor.complaints).toEqual([])
  })

  test('filters are in the address: a link shows the same list', async () => {
    const run = await rig.planned(ROWS, { to: 'linked/' })
    await rig.cancel(run.id)
    await using visitor = await rig.visit('/runs')
    const { page } = visitor
    await choose(page, 'Status', 'cancelled')
    await page.getByLabel('Find runs').fill('linked')
    await page.getByText('1 run', { exact: true }).waitFor()
    await page.reload()
    await page.getByText('1 run', { exact: true }).waitFor()

    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ status: 'cancelled', text: 'linked' })
    expect(await page.getByLabel('Find runs').inputValue()).toBe('linked')
    await choose(page, 'Status', 'failed')
    await page.getByText('No run is like that').waitFor()
    await page.getByRole('link', { name: 'Show all' }).click()
    await page.getByRole('table', { name: 'Runs' }).waitFor()
    expect(visitor.complaints).toEqual([])
  })
})
