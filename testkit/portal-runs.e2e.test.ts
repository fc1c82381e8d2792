/** Copies and runs in a real Chromium: the form with every option, a run that is followed live, and ten thousand of them. */
import { resolve } from 'node:path'
import type { RunView } from '@postern/protocol/api/runs.ts'
import type { CatalogEntry } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { type FakeNode, moved, planOf } from '@postern/service/testing/fake-node.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Scheme, type Visitor, type Width } from './browser.ts'
import { waitFor } from './wait-for.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' }
const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
]
const RUNS = 10_000
/** A list is smooth where hardly a frame takes longer than three at 60 Hz; one core is shared by browser and service here. */
const SMOOTH_MS = 50
const MOST_LATE = 0.1
/** Drawn, however long the list is. */
const MOST_ROWS = 80

describe.skipIf(browserMissing() !== undefined)('copies and runs in the portal', () => {
  let service: LocalService
  let browser: Browser
  let node: FakeNode
  let second: FakeNode

  beforeAll(async () => {
    service = await LocalService.start({ pages: PAGES })
    await service.api('POST', '/v1/people', PERSON)
    ;[node, second] = (await service.gateway(2)) as [FakeNode, FakeNode]
    for (const one of [node, second]) one.handlers[NODE_PATHS.browseStore] = browse
    await waitFor('a node hands out the tasks', async () => (await node.beat()).dispatcher.mine)
    browser = await Browser.start()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  async function visit(path: string, look?: { readonly scheme?: Scheme; readonly width?: Width }): Promise<Visitor> {
    const visitor = await browser.visitor(service.url, look)
    const { page } = visitor
    await page.goto(path)
    await page.getByLabel('Name').fill(PERSON.name)
    await page.getByRole('textbox', { name: 'Password' }).fill(PERSON.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' })
    return visitor
  }

  const copy = (more = {}) =>
    service.api<RunView>('POST', '/v1/copies', { source: 'shop', sink: 'lake', from: 'public.orders', to: 'orders/', ...more })
  const view = (id: string) => service.api<RunView>('GET', `/v1/runs/${id}`)
  const cancel = (id: string) => service.api('POST', `/v1/runs/${id}/cancel`)

  test('a copy is put together by browsing, with every option, and runs', async () => {
    await using visitor = await visit('/copies/new')
    const { page } = visitor
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByText('Choose the store that is read').waitFor()
    await choose(page, 'From the store', 'shop (postgres)')
    await page.getByRole('button', { name: 'Browse…' }).click()
    await page.getByRole('button', { name: 'public', exact: true }).click()
    await page.getByRole('checkbox', { name: 'Copy orders' }).check()
    await visitor.shot('copy-browse')
    await page.getByRole('button', { name: 'Take it' }).click()
    await choose(page, 'Into the store', 'lake (files)')
    expect(await page.getByLabel('File or folder').inputValue()).toBe('orders.parquet')
    await page.getByLabel('File or folder').fill('orders/')
    await page.getByRole('radio', { name: /^Overwrite/ }).check()
    await choose(page, 'Verify', 'Checksums of all values at both ends')
    await page.getByLabel('Parts', { exact: true }).fill('4')
    await page.getByLabel('Cut by the column').fill('id')
    await page.getByRole('radio', { name: /^At least once/ }).check()
    await page.getByText('Leave out rows that the target cannot take').click()
    await page.getByLabel('At most').fill('5')
    await choose(page, 'Keep them in the store', 'lake (files)')
    await page.getByRole('textbox', { name: 'Folder', exact: true }).fill('rejects/')
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
    expect((await view(id)).copy).toEqual({
      ...{ source: 'shop', sink: 'lake', from: 'public.orders', to: 'orders/', mode: 'overwrite', key: [], verify: 'checksum' },
      ...{ parts: 4, splitBy: 'id', guarantee: 'at-least-once', read: {}, write: { rowGroupRows: 5_000 }, parallel: 2 },
      ...{ skipIncompatibleRows: { limit: 5, rejects: { store: 'lake', path: 'rejects/' } } },
      ...{ rowsPerSecond: 50_000, bytesPerSecond: 1_500_000, timeoutMs: 5_400_000, retries: 1, node: 'a' },
    })
    await page.getByRole('link', { name: 'New copy like this' }).click()
    await page.getByLabel('Parts at a time').waitFor()
    expect(await page.getByLabel('Megabytes a second').inputValue()).toBe('1.5')
    await cancel(id)
    expect(visitor.complaints).toEqual([])
  })

  test('a run is followed live: who runs what, what failed and why; then it is cancelled by name, and runs again', async () => {
    const run = await copy()
    await using visitor = await visit(`/runs/${run.id}`)
    const { page } = visitor
    const plan = await orderOf(node, run, 'plan')
    await node.started(plan)
    await node.finished(plan, planOf([600, 300, 100]))
    const [one, two] = await ordersOf(node, run)
    if (!one || !two) throw new Error('There are no parts.')
    await node.started(one)
    await second.started(two)
    await node.progress(one, { rowsRead: 300, rowsWritten: 300, bytesRead: 3e6, bytesWritten: 3e6 })
    await page.getByText('0 of 3 parts', { exact: false }).waitFor()
    await page.getByText('300', { exact: true }).first().waitFor()
    const { code, message, remedy } = new Fault('TABLE_MISSING', { at: 'public.orders' })
    await second.finished(two, { outcome: 'failed', fault: { code, message, remedy, details: {} }, counters: moved(20).counters })
    await page.getByRole('alert').first().waitFor()
    await page.getByRole('button', { name: 'part 2' }).click()
    await page.getByText('Attempt 1 on b').waitFor()
    expect(await page.getByText(remedy).count()).toBeGreaterThan(0)
    await page.getByRole('tab', { name: 'Nodes' }).click()
    await page.getByRole('img', { name: 'b: 1 attempts' }).waitFor()
    await node.finished(one, moved(600)).catch(() => undefined)

    await page.getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await page.getByLabel('Type lake to cancel it').fill('lake')
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('button', { name: 'Run again' }).waitFor()
    expect((await view(run.id)).status).toBe('cancelled')
    expect(visitor.complaints).toEqual([])
  })

  test.each(LOOKS)('in %s at %i pixels the pages of copies and runs show what they should and shut nobody out', async (scheme, width) => {
    const run = await copy({ to: `${scheme}-${width}/` })
    const plan = await orderOf(node, run, 'plan')
    await node.started(plan)
    await node.finished(plan, planOf([600, 300, 100]))
    const [one, two] = await ordersOf(node, run)
    if (!one || !two) throw new Error('There are no parts.')
    await node.started(one)
    await second.started(two)
    const times = { firstByteMs: 400, readMs: 2_000, writeMs: 900, commitMs: 300 }
    await node.progress(one, { rowsRead: 250_000, rowsWritten: 240_000, bytesRead: 3e7, bytesWritten: 2.5e7, times })
    await second.finished(two, moved(300))
    await using visitor = await visit('/runs', { scheme, width })
    const { page } = visitor
    const barriers: string[] = []
    const look = async (name: string) => {
      await visitor.shot(name)
      barriers.push(...(await visitor.barriers()), ...((await overhang(page)) > 0 ? [`${name} hangs over`] : []))
    }
    await page.getByRole('link', { name: run.name }).waitFor()
    await look('runs')
    await page.getByRole('link', { name: run.name }).click()
    await page.getByText('1 of 3 parts', { exact: false }).waitFor()
    await look('run')
    await page.getByRole('button', { name: 'part 1' }).click()
    await page.getByRole('region', { name: 'Task part 1' }).waitFor()
    await page.getByRole('tab', { name: 'Nodes' }).click()
    await page.getByRole('group', { name: 'When each node ran what' }).waitFor()
    await look('run-nodes')
    await page.getByRole('tab', { name: 'Options' }).click()
    await page.getByText('Rows that do not fit').waitFor()
    await look('run-options')
    await page.goto(`/copies/new?like=${run.id}`)
    await page.getByLabel('Parts at a time').waitFor()
    await look('copy')
    await cancel(run.id)

    expect({ barriers, complaints: visitor.complaints }).toEqual({ barriers: [], complaints: [] })
  })

  test('ten thousand runs scroll smoothly to the first', async () => {
    const run = await copy()
    await cancel(run.id)
    await manyRuns(service, run.id)
    await using visitor = await visit('/runs')
    const { page } = visitor
    await page.getByRole('table', { name: 'Runs' }).waitFor()
    const scrolled = await scrollDown(page)
    const late = scrolled.frames.filter((ms) => ms > SMOOTH_MS).length / scrolled.frames.length
    console.info(
      `portal: ${RUNS} runs scrolled in ${scrolled.frames.length} frames, ${(100 * late).toFixed(1)} % over ${SMOOTH_MS} ms, the longest ${Math.max(...scrolled.frames).toFixed(0)} ms, at most ${scrolled.rows} rows drawn`,
    )
    await page.getByRole('link', { name: 'shop:table_1 → lake:table_1' }).waitFor()
    await visitor.shot('ten-thousand-runs')

    expect(scrolled.rows).toBeLessThan(MOST_ROWS)
    expect(late).toBeLessThan(MOST_LATE)
    await page.getByLabel('Find runs').fill('table_777 ')
    await page.getByText('1 run', { exact: true }).waitFor()
    expect(new URL(page.url()).searchParams.get('text')).toContain('table_777')
    expect(visitor.complaints).toEqual([])
  }, 120_000)
})

const TABLES: readonly CatalogEntry[] = ['orders', 'lines'].map((name) => ({
  ...{ name, path: `public.${name}`, type: 'table', rows: 12_345, bytes: 9_876_543 },
  columns: ['id', 'changed_at', 'total'].map((column) => ({ name: column, type: 'bigint', nullable: false })),
}))

/** As a database with one schema. */
const browse: FakeNode['handlers'][string] = (stream, body) => {
  const { path } = body as { readonly path: string }
  const schema: CatalogEntry = { name: 'public', path: 'public', type: 'schema' }
  const entries = path === '' ? [schema] : TABLES.filter((table) => path === 'public' || table.path === path)
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(JSON.stringify({ path, entries, truncated: false }))
}

async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

/** What is left of runs that were cancelled is taken away first. */
async function orderOf(node: FakeNode, run: RunView, kind: 'plan' | 'part') {
  return await waitFor(
    `the ${kind} of ${run.id}`,
    async () => (await ordersOf(node, run)).find((order) => order.kind === kind),
    (order) => order !== undefined,
  ).then((order) => {
    if (!order) throw new Error('There is none.')
    return order
  })
}

async function ordersOf(node: FakeNode, run: RunView) {
  const orders = await node.pull()
  for (const other of orders.filter((order) => order.run !== run.id && order.kind === 'cleanup')) {
    await node.started(other)
    await node.finished(other, { outcome: 'cleaned' })
  }
  return orders.filter((order) => order.run === run.id)
}

async function manyRuns(service: LocalService, like: string): Promise<void> {
  await service.database.query(`
    insert into run (id, gateway_id, gateway, name, status, started_by, copy, source_id, sink_id, notes, created_at, started_at, ended_at)
    select 'run_' || lpad(i::text, 20, '0'), gateway_id, gateway, 'shop:table_' || i || ' → lake:table_' || i,
           case when i % 17 = 0 then 'failed' else 'succeeded' end, 'night job', copy, source_id, sink_id, notes,
           now() - interval '1 hour' - (${RUNS} - i) * interval '1 minute', now() - interval '1 hour' - (${RUNS} - i) * interval '1 minute',
           now() - interval '1 hour' - (${RUNS} - i) * interval '1 minute' + (i % 50) * interval '1 second'
      from run, generate_series(1, ${RUNS}) as i
     where id = '${like}'`)
  await service.database.query(`
    insert into task (id, run_id, gateway_id, place, kind, name, status, rows_read, rows_written, bytes_read, bytes_written)
    select 'tsk_' || right(id, 20), id, gateway_id, 1, 'part', 'all', 'succeeded', 1000 * (length(name) + 7), 1000 * (length(name) + 7), 1e6, 1e6
      from run
     where started_by = 'night job'`)
}

/** Lets the list run until its end, a good part of a window each frame. */
async function scrollDown(page: Page): Promise<{ readonly frames: readonly number[]; readonly rows: number }> {
  // As text: it runs in the page, whose globals are not ours.
  return await page.evaluate(`new Promise((done, fail) => {
    const box = document.querySelector('[role=table][aria-label=Runs]')
    const frames = []
    let rows = 0, before = performance.now(), still = 0
    const begun = before
    const step = (now) => {
      frames.push(now - before)
      before = now
      const was = box.scrollTop
      box.scrollTop += 400
      rows = Math.max(rows, box.querySelectorAll('[role=row]').length)
      still = box.scrollTop === was ? still + 1 : 0
      if (Number(box.getAttribute('aria-rowcount')) > 0 && still > 10) done({ frames: frames.slice(1), rows })
      else if (now - begun > 90_000) fail(new Error('It has no end.'))
      else requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  })`)
}

/** By how many pixels the page is wider than the window. */
const overhang = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
