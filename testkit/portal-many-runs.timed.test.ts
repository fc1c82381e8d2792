/** A list of ten thousand runs in a real Chromium: what it costs to scroll it to its end. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserMissing } from './browser.ts'
import { PortalRunsRig } from './portal-runs-rig.ts'

const RUNS = 10_000
/** As the list asks for them. */
const PAGE = 500
/** Of the main thread's own time on a processor, whoever else wants one: a frame at 30 Hz, drawn without a graphics card and traced besides. */
const FRAME_MS = 1_000 / 30
/** A task of more than this is felt. */
const LONG_MS = 50
/** Of all frames. */
const MOST_LONG = 0.02
/** Drawn, however long the list is. */
const MOST_ROWS = 80

describe.skipIf(browserMissing() !== undefined)('ten thousand runs in the portal', () => {
  let rig: PortalRunsRig

  beforeAll(async () => {
    rig = await PortalRunsRig.start()
    const run = await rig.copy()
    await rig.cancel(run.id)
    await manyRuns(rig, run.id)
  })
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]()
  })

  test('they scroll smoothly to the first, page by page, and are found again where they were left', { timeout: 180_000 }, async () => {
    await using visitor = await rig.visit('/runs')
    const { page } = visitor
    const asked: URL[] = []
    page.on('request', (request) => void (request.url().includes('/v1/runs?') && asked.push(new URL(request.url()))))
    const table = page.getByRole('table', { name: 'Runs' })
    await table.waitFor()
    const scrolled = await scrollDown(page)
    const long = scrolled.tasks.filter((ms) => ms > LONG_MS).length / scrolled.frames.length
    const busy = scrolled.tasks.reduce((sum, ms) => sum + ms, 0) / scrolled.frames.length
    console.info(
      `portal: ${RUNS} runs scrolled in ${scrolled.frames.length} frames of ${busy.toFixed(1)} ms work each, the longest task ${Math.max(...scrolled.tasks).toFixed(0)} ms, ${(100 * long).toFixed(1)} % over ${LONG_MS} ms; the longest frame ${Math.max(...scrolled.frames).toFixed(0)} ms by the clock; at most ${scrolled.rows} rows drawn`,
    )
    const first = page.getByRole('link', { name: 'shop:table_1 → lake:table_1' })
    await first.waitFor()
    await visitor.shot('ten-thousand-runs')

    expect(scrolled.rows).toBeLessThan(MOST_ROWS)
    expect(busy).toBeLessThan(FRAME_MS)
    expect(long).toBeLessThan(MOST_LONG)
    const older = asked.filter(({ searchParams }) => searchParams.has('cursor'))
    expect(older.length).toBeGreaterThanOrEqual(RUNS / PAGE)
    expect(new Set(older.map(({ searchParams }) => Number(searchParams.get('limit'))))).toEqual(new Set([PAGE]))

    await first.click()
    await page.getByRole('heading', { name: 'shop:table_1 → lake:table_1' }).waitFor()
    await page.goBack()
    await first.waitFor()
    await page.getByLabel('Find runs').fill('table_777 ')
    await page.getByText('1 run', { exact: true }).waitFor()
    expect(new URL(page.url()).searchParams.get('text')).toContain('table_777')
    expect(visitor.complaints).toEqual([])
  })
})

/** One a minute until an hour ago, each with its one task. */
async function manyRuns({ service: { database } }: PortalRunsRig, like: string): Promise<void> {
  const began = `now() - interval '1 hour' - (${RUNS} - i) * interval '1 minute'`
  await database.query(`
    insert into run (id, gateway_id, gateway, name, status, started_by, copy, source_id, sink_id, notes, created_at, started_at, ended_at)
    select 'run_' || lpad(i::text, 20, '0'), gateway_id, gateway, 'shop:table_' || i || ' → lake:table_' || i,
           case when i % 17 = 0 then 'failed' else 'succeeded' end, 'night job', copy, source_id, sink_id, notes,
           ${began}, ${began}, ${began} + (i % 50) * interval '1 second'
      from run, generate_series(1, ${RUNS}) as i
     where id = '${like}'`)
  await database.query(`
    insert into task (id, run_id, gateway_id, place, kind, name, status, rows_read, rows_written, bytes_read, bytes_written)
    select 'tsk_' || right(id, 20), id, gateway_id, 1, 'part', 'all', 'succeeded', 1000 * (length(name) + 7), 1000 * (length(name) + 7), 1e6, 1e6
      from run
     where started_by = 'night job'`)
}

interface Scrolled {
  /** How long each took by the clock: with what else the machine does. */
  readonly frames: readonly number[]
  /** How long each task of the main thread has had a processor. */
  readonly tasks: readonly number[]
  readonly rows: number
}

/** Lets the list run until its end, half a window each frame, 27,000 pixels a second: faster than a hand can. */
async function scrollDown(page: Page): Promise<Scrolled> {
  const browser = page.context().browser()
  if (!browser) throw new Error('There is no browser.')
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] })
  // As text: it runs in the page, whose globals are not ours.
  const seen = await page.evaluate<Pick<Scrolled, 'frames' | 'rows'>>(SCROLL)
  return { ...seen, tasks: mainTasks(JSON.parse((await browser.stopTracing()).toString()) as Trace) }
}

const SCROLL = `new Promise((done, fail) => {
  const box = document.querySelector('[role=table][aria-label=Runs]')
  const frames = []
  let rows = 0, before = performance.now(), still = 0
  const begun = before
  const step = (now) => {
    frames.push(now - before)
    before = now
    const was = box.scrollTop
    box.scrollTop += 450
    rows = Math.max(rows, box.querySelectorAll('[role=row]').length)
    still = box.scrollTop === was ? still + 1 : 0
    if (Number(box.getAttribute('aria-rowcount')) > 0 && still > 10) done({ frames: frames.slice(1), rows })
    else if (now - begun > 120_000) fail(new Error('It has no end: ' + frames.length + ' frames, at ' + box.scrollTop + ' of ' + box.scrollHeight + ', ' + box.getAttribute('aria-rowcount')))
    else requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
})`

interface Trace {
  readonly traceEvents: readonly TraceEvent[]
}
interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Of the thread, in microseconds. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** Tasks of the threads that pages run on, in milliseconds. */
function mainTasks({ traceEvents }: Trace): readonly number[] {
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  return traceEvents.filter(({ name, pid, tid }) => name === 'RunTask' && mains.has(`${pid} ${tid}`)).map(({ tdur = 0 }) => tdur / 1_000)
}
